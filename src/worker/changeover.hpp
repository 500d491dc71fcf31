// New certificates under living shards: rehearsed on the first one, then put in place on each.
#pragma once

#include <atomic>
#include <cstddef>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "sallyport/base/unique_fd.hpp"
#include "sallyport/proxy/shard.hpp"

namespace sallyport::worker {

/// One at a time. Thread: the control thread, which never waits here: a shard may itself be waiting for its keyholder.
/// Borrows: the shards, whose loops must not run any more when this is destroyed.
class Changeover {
public:
    using Contexts = proxy::Shard::Contexts;
    using Shards = std::vector<std::unique_ptr<proxy::Shard>>;

    explicit Changeover(const Shards& shards);
    Changeover(const Changeover&) = delete;
    Changeover& operator=(const Changeover&) = delete;

    /// Contexts for each shard. Every certificate takes a turn of the first shard: it signs there.
    void begin(std::vector<Contexts> built);
    [[nodiscard]] bool under_way() const { return !built_.empty(); }

    /// Readable: `go_on`.
    [[nodiscard]] int fd() const { return told_.get(); }
    /// What it has come to, once it has; an error leaves everything as it was.
    [[nodiscard]] std::optional<std::expected<void, std::string>> go_on();

private:
    [[nodiscard]] bool rehearse_next();
    void put_in_place();
    void tell();

    const Shards& shards_;
    UniqueFd told_;
    std::vector<Contexts> built_;
    std::vector<std::pair<const tls::ServerContexts*, std::size_t>> rehearsals_; ///< to come, the next one last
    std::expected<void, std::string> rehearsed_;                                 ///< a shard writes it before it tells
    std::atomic<std::size_t> to_tell_{0};                                        ///< how many shards have not told yet
    bool in_place_{false};
};

} // namespace sallyport::worker

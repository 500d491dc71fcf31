// The admin endpoint: accepts, reads one request of each client, answers, closes. Nothing of it blocks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <vector>

#include <poll.h>

#include "sallyport/admin/answers.hpp"
#include "sallyport/admin/view.hpp"
#include "sallyport/base/unique_fd.hpp"

namespace sallyport::admin {

struct Settings {
    bool checks_peer{}; ///< a Unix socket: only root and `uid` are answered
    std::uint32_t uid{};
    Millis timeout{5'000};           ///< from accepting a client to the end of its answer
    Millis shard_patience{1'000};    ///< a shard that does not answer within this is not healthy
    std::size_t connections_max{16}; ///< one more closes the oldest
};

/// Owns: the listening socket and its clients. Borrows: the view. Thread: one.
class Server {
public:
    /// A non-blocking listening socket.
    Server(UniqueFd listening, Settings settings, View& view);
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    ~Server();

    /// What to wait for with poll(2).
    void add_waits(std::vector<pollfd>& waits) const;
    /// When to call `serve` at the latest; nothing if only for a descriptor.
    [[nodiscard]] std::optional<TimePoint> due() const;
    /// Does all that can be done now. Call it after each wait.
    void serve(TimePoint now);
    /// Another worker accepts now; who has been accepted here is still answered.
    void stop_accepting() { listening_.reset(); }

private:
    class Client;

    void accept(TimePoint now);
    [[nodiscard]] bool may_ask(int fd);
    void read(Client& client, TimePoint now);
    void begin_answer(Client& client, TimePoint now);
    void look_for_shards(Client& client, TimePoint now);
    static void write(Client& client);

    UniqueFd listening_;
    Settings settings_;
    View& view_;
    std::list<Client> clients_;              ///< the oldest first
    std::optional<TimePoint> accepts_again_; ///< accepting has failed: not before then
    std::uint32_t refused_uid_{0};           ///< who was told of in the log last
};

} // namespace sallyport::admin

// The way past us: an app that is meant for loopback, but listens on an address that others reach without TLS.
//
// In a Fargate task, in a pod and on one machine, the app shares our network namespace, and whoever reaches our port
// reaches its port too. `bypass: {strict: true}` does not serve then: it refuses to start, and when such a socket
// appears later it withdraws readiness, drains and ends (exit code 78); whoever supervises the container starts it
// again, and it refuses until the app has moved.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "binder.hpp"
#include "child.hpp"
#include "listening_sockets.hpp"
#include "sallyport/ipc/control.hpp"

namespace sallyport::gatekeeper {

struct Exposure {
    std::string upstream;
    std::string listens_on; ///< "0.0.0.0:7766"

    auto operator<=>(const Exposure&) const = default;
};

/// The upstreams whose port listens on more than loopback. For an upstream of another address of this place, that very
/// address counts, and every address that holds it; for one of another machine and for a Unix socket nothing does.
/// `ours`: inodes of our own listening sockets. Pure.
[[nodiscard]] std::set<Exposure> exposures(const std::vector<ipc::Upstream>& upstreams, const Neighbourhood& around,
                                           const std::set<std::uint64_t>& ours);

/// What `exposures` takes as ours.
[[nodiscard]] std::set<std::uint64_t> inodes_of(const std::vector<BoundListener>& listeners);

/// Looks now and then, and logs what appears and what has gone. Thread: one.
class BypassWatch {
public:
    using Look = std::function<std::optional<Neighbourhood>()>;
    static constexpr std::chrono::seconds kPeriod{5};
    static constexpr std::chrono::seconds kFirst{
        1}; ///< not while the children start, unless it decides whether they may

    BypassWatch(std::vector<ipc::Upstream> upstreams, std::set<std::uint64_t> ours, bool strict,
                Look look = look_around);

    /// Looks if it is time to: first at once if it is strict, else a second after it was made. True: some app is
    /// exposed, and that forbids to serve.
    bool forbids(TimePoint now);
    /// From now on this is watched, in place of what was before.
    void watch(std::vector<ipc::Upstream> upstreams, std::set<std::uint64_t> ours, bool strict);
    /// Something has changed: looks when it is asked next.
    void look_again();
    /// When to ask again; never if no upstream can be exposed.
    [[nodiscard]] TimePoint due() const { return due_; }
    /// How many sockets of apps others reach, as far as the last look told.
    [[nodiscard]] std::size_t exposed() const { return known_.size(); }
    /// What forbids it, for the operator.
    [[nodiscard]] std::string reason() const;
    /// What would forbid to serve these, if it were strict, by a look of its own; empty: nothing that can be seen.
    [[nodiscard]] std::string objection(const std::vector<ipc::Upstream>& upstreams,
                                        const std::set<std::uint64_t>& ours) const;

private:
    void note(const std::set<Exposure>& found);
    [[nodiscard]] std::string sentence(const std::set<Exposure>& found) const;

    std::vector<ipc::Upstream> upstreams_;
    std::set<std::uint64_t> ours_;
    bool strict_;
    Look look_;
    std::string remedy_;
    std::set<Exposure> known_;
    TimePoint due_{};
    bool blind_{false}; ///< the last look failed
};

} // namespace sallyport::gatekeeper

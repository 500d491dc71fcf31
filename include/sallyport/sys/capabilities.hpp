// The five capability sets of a thread: read, lowered, and raised for the one moment of a bind.
//
// Capabilities belong to a thread, not to a process: each of these acts on the calling thread only, and threads made
// later inherit from their maker. So a process confines itself before it starts its second thread.
#pragma once

#include <cstdint>

#include "sallyport/base/result.hpp"

namespace sallyport::sys {

/// One bit per capability, as /proc/self/status prints them.
struct CapabilitySets {
    std::uint64_t inheritable{};
    std::uint64_t permitted{};
    std::uint64_t effective{};
    std::uint64_t bounding{};
    std::uint64_t ambient{};

    bool operator==(const CapabilitySets&) const = default;
};

/// CAP_NET_BIND_SERVICE: the one capability that Sallyport keeps, and only in the gatekeeper's permitted set.
inline constexpr std::uint64_t kNetBindService = std::uint64_t{1} << 10;
/// CAP_SETPCAP: without it nobody may shrink the bounding set.
inline constexpr std::uint64_t kSetPcap = std::uint64_t{1} << 8;

/// What became of the bounding set, which only CAP_SETPCAP in the permitted set allows to empty.
enum class BoundingSet : std::uint8_t { emptied, kept };

/// Of the calling thread.
[[nodiscard]] Result<CapabilitySets> capability_sets();

/// CAP_NET_BIND_SERVICE is effective while this lives, if it is permitted: put it around bind(2) and nothing else.
/// Thread: made and destroyed on the same one.
class RaisedNetBindService {
public:
    RaisedNetBindService();
    RaisedNetBindService(const RaisedNetBindService&) = delete;
    RaisedNetBindService& operator=(const RaisedNetBindService&) = delete;
    /// Lowers it, unless it was effective before. Aborts if the kernel refuses, which it never does.
    ~RaisedNetBindService();

    /// It is effective now. If not, a bind below the sysctl's port will be refused: see bind_facts.hpp.
    [[nodiscard]] bool raised() const { return raised_; }

private:
    bool raised_{false};
    bool lower_again_{false};
};

/// Permitted becomes {CAP_NET_BIND_SERVICE} if it was there, else empty; effective, inheritable and ambient become
/// empty; the bounding set too where CAP_SETPCAP is permitted.
[[nodiscard]] Result<BoundingSet> keep_only_net_bind_service();

/// Empties all five sets; the bounding set only where CAP_SETPCAP is permitted.
[[nodiscard]] Result<BoundingSet> drop_all_capabilities();

} // namespace sallyport::sys

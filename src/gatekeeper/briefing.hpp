// What a newborn child is told, message by message, with the descriptors that go along (ipc/control.hpp).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "binder.hpp"
#include "child.hpp"
#include "sallyport/base/unique_fd.hpp"
#include "settings.hpp"

namespace sallyport::gatekeeper {

/// Secrets that this process keeps for a keyholder to be born later. It holds descriptors only and never maps them.
struct Secrets {
    std::map<std::string, UniqueFd> texts{}; ///< of certificates, keys and passphrases, by "env:NAME" or "fd:N"
    UniqueFd tickets{};                      ///< what session ticket keys are derived from
};

/// Hello, every certificate source, the ticket secret, Load.
void brief_keyholder(Child& keyholder, const Settings& settings, const Secrets& secrets);

/// The pages of a newborn worker.
struct Pages {
    std::uint32_t generation{};
    std::vector<int> descriptors;
};

/// Hello, the pages, the admin endpoint and the name service if there are any, every upstream, every listener with its
/// sockets and its routes. Its keys and Serve follow.
void brief_worker(Child& worker, const Settings& settings, const Pages& pages,
                  const std::vector<BoundListener>& listeners);

/// New channels between the two: one for supply and one per shard. No end of them stays here.
/// Errors: no descriptors left. Whoever has gone meanwhile is no error: see Child::tell.
[[nodiscard]] Result<void> introduce(Child& keyholder, Child& worker, unsigned shards);

} // namespace sallyport::gatekeeper

// Carrying out the bind plan: the one place of the program where CAP_NET_BIND_SERVICE is ever effective.
#pragma once

#include <cstddef>
#include <vector>

#include <sys/types.h>

#include "bind_plan.hpp"
#include "sallyport/base/socket_address.hpp"
#include "sallyport/base/unique_fd.hpp"
#include "systemd_sockets.hpp"

namespace sallyport::gatekeeper {

/// The listening sockets of one address.
struct BoundListener {
    std::size_t listener{}; ///< its index in the configuration; an inherited name may bring several addresses
    bool shared{};
    bool is_inherited{false};  ///< made by somebody else, who has not given it away
    bool listens_later{false}; ///< bound alone: it listens when a worker is born to it
    std::vector<UniqueFd> sockets;
};

/// A second set of descriptors. Errors: StartError (os_error).
[[nodiscard]] BoundListener duplicate(const BoundListener& listener);

/// What listens already, and where. Borrows both.
struct OpenListener {
    const config::Bind& bind;
    const BoundListener& bound;
};

/// A Unix socket's file that this process made. Owns: the file; removes it when destroyed, unless another socket has
/// taken its place or the directory does not let this user (which is logged).
class SocketFile {
public:
    explicit SocketFile(const SocketAddress& address);
    SocketFile(SocketFile&& other) noexcept;
    SocketFile& operator=(SocketFile&& other) noexcept;
    ~SocketFile();

    [[nodiscard]] const SocketAddress& address() const { return address_; }
    /// For a process that was root when it made the file and becomes somebody else. Logs a failure.
    void give_to(uid_t uid, gid_t gid) const;

private:
    SocketAddress address_;
    dev_t device_{};
    ino_t inode_{};
};

struct Bound {
    std::vector<BoundListener> listeners;
    std::vector<SocketFile> files;
};

/// For a process that was root when it bound and becomes somebody else: the files, and the TCP sockets, which otherwise
/// would let that user bind no other address of their port beside them (SO_REUSEPORT is for sockets of one user). Logs
/// failures.
void give_to(const Bound& bound, uid_t uid, gid_t gid);

/// Binds everything, in order; each address is a line of the audit stream. What is open is not bound, but duplicated.
/// Errors: StartError: `permission` with the diagnosis of a refused port; `unavailable` for an address in use, naming
/// who holds it, or not there; `configuration` for an inherited socket that is not one.
[[nodiscard]] Bound bind_all(const std::vector<PlannedListener>& plan, const std::vector<PassedSocket>& passed,
                             const std::vector<OpenListener>& open = {});

} // namespace sallyport::gatekeeper

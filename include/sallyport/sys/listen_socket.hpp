// Bound and listening sockets: made here, or inherited and checked. All are non-blocking and close-on-exec.
//
// Errors: `forbidden` for EACCES and EPERM (the port is privileged: see bind_facts.hpp), else `internal`; the cause is
// the kernel's (EADDRINUSE, EADDRNOTAVAIL …). A privileged port needs a RaisedNetBindService around the call.
#pragma once

#include <cstdint>

#include <sys/types.h>

#include "sallyport/base/result.hpp"
#include "sallyport/base/socket_address.hpp"
#include "sallyport/base/unique_fd.hpp"

namespace sallyport::sys {

/// What we ask for; the kernel clips it to net.core.somaxconn.
inline constexpr int kBacklog = 4096;

/// Bound alone, a socket takes no client, and none from another that listens on a wider address: `keep_listening`.
enum class Listens : bool { later, now };

/// One address, IPv4 or IPv6 (an IPv6 one takes IPv6 only). Port 0 lets the kernel choose. `reuse_port` sets
/// SO_REUSEPORT: every further socket of the same address needs it, and the same user.
[[nodiscard]] Result<UniqueFd> listen_tcp(const SocketAddress& address, bool reuse_port,
                                          Listens listens = Listens::now);

/// Every address of both families on one socket; of IPv4 alone on a machine without IPv6.
[[nodiscard]] Result<UniqueFd> listen_any(std::uint16_t port, bool reuse_port, Listens listens = Listens::now);

/// Sets SO_REUSEPORT of a listening TCP socket: from now on a socket of the same user that has it may take another
/// address of this port, where they overlap. Errors: `internal`.
[[nodiscard]] Result<void> share_port(int fd);

/// A Unix stream socket, with these permissions if it is in the file system. A stale file (a socket that nobody listens
/// on) is replaced; a living socket and any other kind of file are an error (EADDRINUSE).
[[nodiscard]] Result<UniqueFd> listen_unix(const SocketAddress& address, mode_t mode);

/// A descriptor of our own of an inherited socket, which must be a listening stream socket (else `malformed`); makes it
/// non-blocking. The inherited one stays open, since nobody could pass it again.
[[nodiscard]] Result<UniqueFd> adopt_listening(int fd);

/// Whether it is a stream socket that listens. Errors: `malformed`, it is no socket.
[[nodiscard]] Result<bool> is_listening(int fd);

/// Listens if it does not yet, or no longer: connect(2) to AF_UNSPEC, or shutdown(2), by anybody who shares the socket
/// stops it, and leaves it bound. True if that was needed.
[[nodiscard]] Result<bool> keep_listening(int fd);

/// Where a socket is bound: tells the port that the kernel chose.
[[nodiscard]] Result<SocketAddress> local_address(int fd);

/// Removes the socket file of a Unix address; anything else than a socket is left alone. Nothing for other addresses
/// and for a file that is gone.
[[nodiscard]] Result<void> remove_socket_file(const SocketAddress& address);

} // namespace sallyport::sys

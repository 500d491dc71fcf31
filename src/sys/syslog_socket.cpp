#include "sallyport/sys/syslog_socket.hpp"

#include <sys/socket.h>

#include "sallyport/base/socket_address.hpp"

namespace sallyport::sys {

Result<UniqueFd> connect_syslog(const std::string& path)
{
    const auto address = SocketAddress::parse("unix:" + path);
    if (!address) return fail(Fault::malformed, Side::self, "connecting to syslog");
    UniqueFd socket{::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    if (!socket || ::connect(socket.get(), address->data(), address->size()) != 0)
        return fail_errno("connecting to syslog");
    return socket;
}

} // namespace sallyport::sys

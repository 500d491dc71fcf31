#include "sallyport/base/socket_options.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace sallyport {

namespace {

void set_option(int fd, int level, int option, int value)
{
    ::setsockopt(fd, level, option, &value, sizeof value);
}

} // namespace

void set_keep_alive(int fd)
{
    set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, 30);
    set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 10);
    set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 3);
}

void set_accepted_options(int fd)
{
    const linger none{};
    ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    set_keep_alive(fd);
}

} // namespace sallyport

#include "load/link.hpp"

#include <cerrno>
#include <string>

#include <openssl/err.h>
#include <sys/socket.h>

namespace bench {

namespace {

std::string server_name{"bench.test"};

std::ptrdiff_t explain_socket(ssize_t result)
{
    if (result >= 0) return result;
    return errno == EAGAIN || errno == ENOTCONN ? Link::kWouldBlock : Link::kFailed;
}

} // namespace

Link::Link(Target& target, Waiter& waiter, TicketJar* jar) : target_{target}, fd_{connect_to(target.port)}
{
    if (fd_.number() < 0) fail("connect");
    if (target.context != nullptr) {
        tls_.reset(SSL_new(target.context.get()));
        SSL_set_fd(tls_.get(), fd_.number());
        // What SSL_set_tlsext_host_name means, without its old-style cast.
        SSL_ctrl(tls_.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, server_name.data());
        SSL_set_connect_state(tls_.get());
        if (jar != nullptr) use_tickets_of(tls_.get(), *jar);
    }
    target.epoll.add(fd_, &waiter);
}

Progress Link::shake_hands()
{
    if (tls_ == nullptr || established_) return Progress::done;
    const int result = SSL_do_handshake(tls_.get());
    if (result != 1) return explain(result) == kWouldBlock ? Progress::waiting : Progress::failed;
    established_ = true;
    target_.agreement.note(tls_.get());
    return Progress::done;
}

std::ptrdiff_t Link::receive(std::span<char> to)
{
    if (tls_ == nullptr) return explain_socket(::recv(fd_.number(), to.data(), to.size(), 0));
    const int result = SSL_read(tls_.get(), to.data(), static_cast<int>(to.size()));
    return result > 0 ? result : explain(result);
}

std::ptrdiff_t Link::send(std::string_view data)
{
    if (tls_ == nullptr) return explain_socket(::send(fd_.number(), data.data(), data.size(), MSG_NOSIGNAL));
    const int result = SSL_write(tls_.get(), data.data(), static_cast<int>(data.size()));
    return result > 0 ? result : explain(result);
}

void Link::finish()
{
    if (tls_ != nullptr) SSL_shutdown(tls_.get());
    ::shutdown(fd_.number(), SHUT_WR);
}

std::ptrdiff_t Link::explain(int result) const
{
    const int why = SSL_get_error(tls_.get(), result);
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return kWouldBlock;
    if (why == SSL_ERROR_ZERO_RETURN) return 0;
    ERR_clear_error();
    return kFailed;
}

} // namespace bench

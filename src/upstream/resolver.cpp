#include "resolver.hpp"

#include <algorithm>
#include <cerrno>
#include <limits>
#include <utility>

#include <ares.h>
#include <sys/uio.h>
#include <unistd.h>

#include "name.hpp"
#include "sallyport/base/unique_fd.hpp"
#include "sallyport/net/watch.hpp"

namespace sallyport::upstream {

namespace {

/// Of one name: more would not be taken in turn within any attempt.
constexpr std::size_t kAddressesMax = 256;

/// The shortest time for which a part of the answer is good.
std::uint32_t time_to_live(const ares_addrinfo& answer)
{
    int least = std::numeric_limits<int>::max();
    for (const auto* node = answer.nodes; node != nullptr; node = node->ai_next)
        least = std::min(least, node->ai_ttl);
    for (const auto* alias = answer.cnames; alias != nullptr; alias = alias->next)
        least = std::min(least, alias->ttl);
    return static_cast<std::uint32_t>(std::max(least, 0));
}

std::vector<SocketAddress> addresses_of(const ares_addrinfo& answer)
{
    std::vector<SocketAddress> addresses;
    for (const auto* node = answer.nodes; node != nullptr && addresses.size() < kAddressesMax; node = node->ai_next)
        if (const auto address = SocketAddress::from(node->ai_addr, static_cast<socklen_t>(node->ai_addrlen)))
            addresses.push_back(*address);
    return addresses;
}

} // namespace

class Resolver::Line final : private net::Watch::Observer {
public:
    Line(UniqueFd fd, Resolver& resolver) : fd_{std::move(fd)}, resolver_{resolver} { watch_.set_observer(this); }
    ~Line() override = default;

    [[nodiscard]] Result<void> watch() { return resolver_.loop_.poller().watch_stream(fd_.get(), watch_); }

private:
    void became_ready() override { resolver_.process(fd_.get()); } // which may end this

    net::Watch watch_;
    UniqueFd fd_;
    Resolver& resolver_;
};

Resolver::Resolver(NameChannel channel, const ipc::NameService& settings, net::EventLoop& loop)
    : settings_{settings}, loop_{loop}, channel_{std::move(channel)}
{
    static const ares_socket_functions kFunctions{.asocket = &open_socket,
                                                  .aclose = &close_socket,
                                                  .aconnect = &connect_socket,
                                                  .arecvfrom = &receive,
                                                  .asendv = &send};
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations" // its successor is not in Debian 12's
    ares_set_socket_functions(channel_.get(), &kFunctions, this);
#pragma GCC diagnostic pop
}

Resolver::~Resolver() = default;

void Resolver::ask(Name& name, const std::string& host)
{
    ares_addrinfo_hints hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_flags = ARES_AI_NOSORT; // sorting would connect to each
    ares_getaddrinfo(channel_.get(), host.c_str(), nullptr, &hints, &take_answer, new Question{*this, name});
    settle();
}

void Resolver::take_answer(void* question, int status, int /*timeouts*/, ares_addrinfo* answer)
{
    const std::unique_ptr<Question> asked{static_cast<Question*>(question)};
    if (status == ARES_EDESTRUCTION) return;
    Outcome outcome{&asked->name, status, {}, 0};
    if (answer != nullptr) {
        outcome.addresses = addresses_of(*answer);
        outcome.ttl_s = time_to_live(*answer);
        ares_freeaddrinfo(answer);
    }
    asked->resolver.outcomes_.push_back(std::move(outcome));
}

void Resolver::process(int fd)
{
    do {
        received_ = false;
        ares_process_fd(channel_.get(), fd, fd);
    } while (received_ && lines_.contains(fd)); // the edge comes once: until nothing is left
    settle();
}

void Resolver::expired()
{
    for (const Outcome& outcome : std::exchange(outcomes_, {})) {
        if (outcome.addresses.empty())
            outcome.name->failed(ares_strerror(outcome.status == ARES_SUCCESS ? ARES_ENODATA : outcome.status));
        else
            outcome.name->answered(outcome.addresses, outcome.ttl_s);
    }
    ares_process_fd(channel_.get(), ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    settle();
}

/// The next look: at once if a name is to be told something, else when c-ares would ask again.
void Resolver::settle()
{
    timeval left{};
    if (!outcomes_.empty())
        loop_.arm(*this, loop_.now());
    else if (ares_timeout(channel_.get(), nullptr, &left) != nullptr)
        loop_.arm(*this, loop_.now() + static_cast<net::Tick>(left.tv_sec * 1000 + left.tv_usec / 1000 + 1));
}

int Resolver::open_socket(int family, int type, int /*protocol*/, void* self)
{
    UniqueFd fd{::socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    if (!fd) return ARES_SOCKET_BAD;
    const int number = fd.get();
    auto& resolver = *static_cast<Resolver*>(self);
    resolver.lines_.emplace(number, std::make_unique<Line>(std::move(fd), resolver));
    return number;
}

int Resolver::close_socket(int fd, void* self)
{
    static_cast<Resolver*>(self)->lines_.erase(fd);
    return 0;
}

// Watched only now: epoll reports a stream that has not begun to connect as hung up.
int Resolver::connect_socket(int fd, const sockaddr* address, socklen_t size, void* self)
{
    const int connected = ::connect(fd, address, size);
    const int error = errno;
    if (connected != 0 && error != EINPROGRESS) return connected;
    if (!static_cast<Resolver*>(self)->lines_.at(fd)->watch()) return -1;
    errno = error;
    return connected;
}

ssize_t Resolver::receive(int fd, void* into, std::size_t size, int flags, sockaddr* from, socklen_t* from_size,
                          void* self)
{
    const ssize_t got = ::recvfrom(fd, into, size, flags, from, from_size);
    static_cast<Resolver*>(self)->received_ |= got > 0;
    return got;
}

// A datagram is one part; of a stream's parts c-ares sends again what was not taken.
ssize_t Resolver::send(int fd, const iovec* parts, int /*count*/, void* /*self*/)
{
    return ::write(fd, parts->iov_base, parts->iov_len);
}

} // namespace sallyport::upstream

// The app behind every proxy: answers small requests, streams downloads, sinks uploads, as fast as epoll allows.
//
//     GET /              a response with 64 bytes
//     GET /d/<bytes>     a response with so many bytes
//     POST /             takes as many bytes as Content-Length says, then answers as to GET /
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include <sys/socket.h>

#include "arguments.hpp"
#include "sockets.hpp"

namespace {

using bench::Epoll;
using bench::Fd;

constexpr std::size_t kBuffer = 256 * 1024;
constexpr std::size_t kHeadMax = 16 * 1024;
constexpr std::string_view kHeadEnd = "\r\n\r\n";
constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 64\r\n\r\n"
                                     "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

struct Connection {
    Fd fd;
    bool readable{true};
    bool hung_up{}; ///< the peer has ended or failed: read on until that is seen
    bool last{};    ///< the client asked for Connection: close
    bool dead{};
    std::uint64_t to_sink{};
    std::uint64_t to_send{};
    std::string unsent; ///< a response, or its head, that did not fit into the socket
    std::string head;   ///< a request head that came in parts
};

std::vector<char> shared_input(kBuffer);
const std::string zeros(kBuffer, '0');

std::uint64_t number_after(std::string_view text, std::string_view mark)
{
    const auto place = std::search(text.begin(), text.end(), mark.begin(), mark.end(),
                                   [](char a, char b) { return (a | 0x20) == (b | 0x20); });
    std::uint64_t value{};
    if (place == text.end()) return value;
    const auto* first = &*place + mark.size();
    std::from_chars(first, text.data() + text.size(), value);
    return value;
}

/// Sends what there is; false if the socket is full.
bool send_some(Connection& c, std::string_view& data)
{
    const ssize_t sent = ::send(c.fd.number(), data.data(), data.size(), MSG_NOSIGNAL);
    if (sent < 0) {
        c.dead = errno != EAGAIN;
        return false;
    }
    data.remove_prefix(static_cast<std::size_t>(sent));
    return true;
}

void respond(Connection& c, std::string_view text)
{
    if (!send_some(c, text) || !text.empty()) c.unsent.append(text);
}

/// Sends what is still owed; false if the socket is full.
bool pay(Connection& c)
{
    while (!c.unsent.empty()) {
        std::string_view rest{c.unsent};
        if (!send_some(c, rest)) return false;
        c.unsent.erase(0, c.unsent.size() - rest.size());
    }
    while (c.to_send > 0) {
        std::string_view part = std::string_view{zeros}.substr(0, std::min<std::uint64_t>(c.to_send, zeros.size()));
        const std::size_t whole = part.size();
        if (!send_some(c, part)) return false;
        c.to_send -= whole - part.size();
    }
    return true;
}

void start_download(Connection& c, std::uint64_t bytes)
{
    c.to_send = bytes;
    respond(c, "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: " + std::to_string(bytes) +
                   "\r\n\r\n");
}

/// Takes one request head off `data`; false if it is not all there.
bool take_request(Connection& c, std::string_view& data)
{
    const auto end = data.find(kHeadEnd);
    if (end == std::string_view::npos) return false;
    const auto head = data.substr(0, end + kHeadEnd.size());
    data.remove_prefix(head.size());
    c.last = head.find("onnection: close") != std::string_view::npos;
    if (head.starts_with("GET /d/")) {
        start_download(c, number_after(head, "GET /d/"));
    } else if (head.starts_with("POST ")) {
        c.to_sink = number_after(head, "content-length: ");
        if (c.to_sink == 0) respond(c, kAnswer);
    } else {
        respond(c, kAnswer);
    }
    return true;
}

void sink(Connection& c, std::string_view& data)
{
    const auto taken = std::min<std::uint64_t>(c.to_sink, data.size());
    data.remove_prefix(taken);
    c.to_sink -= taken;
    if (taken > 0 && c.to_sink == 0) respond(c, kAnswer);
}

void take(Connection& c, std::string_view data)
{
    sink(c, data);
    if (!c.head.empty()) {
        c.head.append(data);
        const std::string whole = std::exchange(c.head, {});
        return take(c, whole);
    }
    while (!data.empty() && take_request(c, data))
        sink(c, data);
    c.head.assign(data);
    if (c.head.size() > kHeadMax) c.dead = true;
}

void read_some(Connection& c)
{
    // An upload's bytes are dropped by the kernel, not copied.
    const bool dropping = c.to_sink > kBuffer;
    const ssize_t got = dropping ? ::recv(c.fd.number(), nullptr, c.to_sink - 1, MSG_TRUNC)
                                 : ::recv(c.fd.number(), shared_input.data(), shared_input.size(), 0);
    if (got <= 0) {
        c.dead = got == 0 || errno != EAGAIN;
        c.readable = false;
        return;
    }
    const auto count = static_cast<std::size_t>(got);
    if (dropping)
        c.to_sink -= count;
    else
        take(c, {shared_input.data(), count});
    // A short read has emptied the socket, unless an end came with it.
    if (count < kBuffer && !c.hung_up) c.readable = false;
}

void serve(Connection& c, std::uint32_t events)
{
    if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) c.hung_up = true;
    if ((events & EPOLLIN) != 0 || c.hung_up) c.readable = true;
    while (!c.dead && pay(c)) {
        if (c.last && c.to_sink == 0) c.dead = true;
        if (c.dead || !c.readable) return;
        read_some(c);
    }
}

void accept_one(Epoll& epoll, const Fd& listener)
{
    Fd fd = bench::accept_from(listener);
    if (fd.number() < 0) return;
    auto* c = new Connection{};
    c->fd = std::move(fd);
    epoll.add(c->fd, c);
}

} // namespace

int main(int count, char** words)
{
    bench::Arguments arguments{count - 1, words + 1};
    bench::pin_to(arguments.core());
    const Fd listener = bench::listen_on(arguments.port("port"));
    arguments.end();
    bench::raise_descriptor_limit();
    Epoll epoll;
    epoll.add_listener(listener, nullptr);
    std::puts("ready");
    std::fflush(stdout);
    for (;;) {
        for (const epoll_event& event : epoll.wait()) {
            auto* c = static_cast<Connection*>(event.data.ptr);
            if (c == nullptr) {
                accept_one(epoll, listener);
                continue;
            }
            serve(*c, event.events);
            if (c->dead) delete c;
        }
    }
}

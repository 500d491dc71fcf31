// Asks name servers, by c-ares: its sockets and its time are the shard's own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <sys/socket.h>
#include <sys/types.h>

#include "sallyport/base/socket_address.hpp"
#include "sallyport/ipc/control.hpp"
#include "sallyport/net/event_loop.hpp"
#include "sallyport/net/timer_wheel.hpp"
#include "sallyport/upstream/name_channel.hpp"

struct ares_addrinfo;
struct iovec;

namespace sallyport::upstream {

class Name;

/// Owns: the channel and its sockets, which live only while something is asked. A name that has been asked for must
/// outlive this. Thread: the shard's.
class Resolver final : private net::Deadline {
public:
    Resolver(NameChannel channel, const ipc::NameService& settings, net::EventLoop& loop);
    ~Resolver() override;

    /// Its A and AAAA records, by the rules of resolv.conf(5) for search domains. The name is told later, never within
    /// this call.
    void ask(Name& name, const std::string& host);
    [[nodiscard]] const ipc::NameService& settings() const { return settings_; }

private:
    class Line; ///< a socket

    /// What has come for a name; told when c-ares is done, so that nobody calls into it meanwhile.
    struct Outcome {
        Name* name;
        int status;
        std::vector<SocketAddress> addresses;
        std::uint32_t ttl_s;
    };
    struct Question {
        Resolver& resolver;
        Name& name;
    };

    // What c-ares calls.
    static int open_socket(int family, int type, int protocol, void* self);
    static int close_socket(int fd, void* self);
    static int connect_socket(int fd, const sockaddr* address, socklen_t size, void* self);
    static ssize_t receive(int fd, void* into, std::size_t size, int flags, sockaddr* from, socklen_t* from_size,
                           void* self);
    static ssize_t send(int fd, const iovec* parts, int count, void* self);
    static void take_answer(void* question, int status, int timeouts, ares_addrinfo* answer);

    void expired() override;
    void process(int fd);
    void settle();

    ipc::NameService settings_;
    net::EventLoop& loop_;
    std::map<int, std::unique_ptr<Line>> lines_;
    std::vector<Outcome> outcomes_;
    bool received_{false};
    NameChannel channel_; ///< last: its end closes its sockets
};

} // namespace sallyport::upstream

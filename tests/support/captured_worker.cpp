// A worker in the hands of an attacker: the real one, which besides executes orders once it is confined.
//
// It stands in a test's installation as sallyport-worker, beside the Unix socket `orders`, which it connects to before
// it is confined. Each line that comes is a system call:
//     openat -100 s:/etc/passwd 0
// An argument is a number; s:TEXT, a string; a:PORT, a socket address of 127.0.0.1; m:PORT, a message to that address;
// r:, a linger of 0 s, which turns a close into a reset; $, what the last call gave. What a call gave goes to standard
// output as a line of the log, event "order". A call that ends the process gives nothing.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sallyport/base/socket_address.hpp"
#include "sallyport/log/log.hpp"
#include "sallyport/sys/spawn.hpp"
#include "sallyport/worker/worker.hpp"

namespace {

using namespace sallyport;

/// Never destroyed: the thread that reads it outlives main.
const auto& kCalls = *new std::map<std::string, long>{
    {"accept4", SYS_accept4},
    {"bind", SYS_bind},
    {"bpf", SYS_bpf},
    {"clone", SYS_clone},
    {"clone3", SYS_clone3},
    {"connect", SYS_connect},
    {"dup", SYS_dup},
    {"epoll_create1", SYS_epoll_create1},
    {"execve", SYS_execve},
    {"fcntl", SYS_fcntl},
    {"getpid", SYS_getpid},
    {"io_uring_setup", SYS_io_uring_setup},
    {"ioctl", SYS_ioctl},
    {"kill", SYS_kill},
    {"listen", SYS_listen},
    {"memfd_create", SYS_memfd_create},
    {"mmap", SYS_mmap},
    {"openat", SYS_openat},
    {"pidfd_open", SYS_pidfd_open},
    {"process_vm_readv", SYS_process_vm_readv},
    {"ptrace", SYS_ptrace},
    {"rt_sigaction", SYS_rt_sigaction},
    {"seccomp", SYS_seccomp},
    {"sendmsg", SYS_sendmsg},
    {"sendto", SYS_sendto},
    {"setsockopt", SYS_setsockopt},
    {"setuid", SYS_setuid},
    {"shutdown", SYS_shutdown},
    {"socket", SYS_socket},
    {"socketpair", SYS_socketpair},
    {"tgkill", SYS_tgkill},
};

/// Everything that an argument points to, for as long as the call takes.
class Arguments {
public:
    long of(const std::string& word, long last)
    {
        if (word == "$") return last;
        if (word.starts_with("s:"))
            return address_of(texts_.emplace_back(std::make_unique<std::string>(word.substr(2)))->c_str());
        if (word.starts_with("a:")) return address_of(loopback(word.substr(2)));
        if (word == "r:") return address_of(&reset_);
        if (word.starts_with("m:")) return address_of(message_to(word.substr(2)));
        return std::stol(word, nullptr, 0);
    }

private:
    static long address_of(const void* place) { return reinterpret_cast<long>(place); }

    sockaddr_in* loopback(const std::string& port)
    {
        address_.sin_family = AF_INET;
        address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address_.sin_port = htons(static_cast<std::uint16_t>(std::stoul(port)));
        return &address_;
    }
    msghdr* message_to(const std::string& port)
    {
        message_.msg_name = loopback(port);
        message_.msg_namelen = sizeof address_;
        part_ = {text_.data(), text_.size()};
        message_.msg_iov = &part_;
        message_.msg_iovlen = 1;
        return &message_;
    }

    std::vector<std::unique_ptr<std::string>> texts_;
    sockaddr_in address_{};
    linger reset_{.l_onoff = 1, .l_linger = 0};
    std::string text_{"out"};
    iovec part_{};
    msghdr message_{};
};

void report(const std::string& call, long result, int error)
{
    const char* name = result == -1 ? ::strerrorname_np(error) : "";
    const std::string line = R"({"event":"order","call":")" + call + R"(","result":)" + std::to_string(result) +
                             R"(,"error":")" + (name == nullptr ? "?" : name) + "\"}\n";
    static_cast<void>(!::write(STDOUT_FILENO, line.data(), line.size()));
}

long execute(const std::string& order, long last)
{
    std::istringstream words{order};
    std::string call, word;
    words >> call;
    Arguments arguments;
    std::array<long, 6> values{};
    for (long& value : values)
        if (words >> word) value = arguments.of(word, last);
    const long result = ::syscall(kCalls.at(call), values[0], values[1], values[2], values[3], values[4], values[5]);
    report(call, result, errno);
    return result;
}

int orders = -1;

/// By recv(2), which the real worker may do as well.
void obey()
{
    std::string order;
    long last = 0;
    for (char byte{}; ::recv(orders, &byte, 1, 0) == 1;) {
        if (byte != '\n') {
            order += byte;
            continue;
        }
        last = execute(order, last);
        order.clear();
    }
}

} // namespace

// The linker puts these in the place of log::start, which the worker calls when it has been confined.
extern "C" void __real__ZN9sallyport3log5startERKNS0_7OptionsE(const log::Options& options);
extern "C" void __wrap__ZN9sallyport3log5startERKNS0_7OptionsE(const log::Options& options);

void __wrap__ZN9sallyport3log5startERKNS0_7OptionsE(const log::Options& options)
{
    __real__ZN9sallyport3log5startERKNS0_7OptionsE(options);
    std::thread{obey}.detach();
}

int main()
{
    const auto directory = sys::executable_directory();
    if (!directory) return EXIT_FAILURE;
    const auto address = SocketAddress::parse("unix:" + *directory + "/orders");
    orders = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (!address || ::connect(orders, address->data(), address->size()) != 0) return EXIT_FAILURE;
    return std::to_underlying(worker::run());
}

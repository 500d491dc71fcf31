// A keyholder or worker in the hands of an attacker: the real one, which besides executes orders once it is confined.
//
// It is linked from the process's own main, with two functions wrapped. It stands in a test's installation in the place
// of the real one, beside the Unix socket `orders`, which it connects to before it is confined. Each line that comes is
// a system call, or several, and may be repeated until one fails that is not only tried:
//     openat -100 s:/etc/passwd 0
//     repeat 1000 sendto 5 x:06ff 2 0x4000 0 0 ; try recvfrom 5 z:600 600 0x40 0 0
// An argument is a number; s:TEXT, a string; x:HEX, bytes; z:SIZE, so many zeros; a:PORT, a socket address of
// 127.0.0.1; u:, one of no family; m:PORT, a message to that address; d:FD, a message with that descriptor; r:, a
// linger of 0 s, which turns a close into a reset; $, what the last call gave. What the last call of a line gave goes
// to standard output as a line of the log, event "order". A call that ends the process gives nothing.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sallyport/base/socket_address.hpp"
#include "sallyport/log/log.hpp"
#include "sallyport/privsep/confine.hpp"
#include "sallyport/sys/spawn.hpp"

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
    {"recvfrom", SYS_recvfrom},
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
        if (word == "r:") return address_of(&reset_);
        if (word == "u:") return address_of(&address_); // AF_UNSPEC is 0
        const std::string value = word.size() > 2 && word[1] == ':' ? word.substr(2) : "";
        if (word.starts_with("s:")) return address_of(keep(value).c_str());
        if (word.starts_with("x:")) return address_of(keep(bytes_of(value)).data());
        if (word.starts_with("z:")) return address_of(keep(std::string(std::stoul(value), '\0')).data());
        if (word.starts_with("a:")) return address_of(loopback(value));
        if (word.starts_with("m:")) return address_of(message_to(value));
        if (word.starts_with("d:")) return address_of(message_with(std::stoi(value)));
        return std::stol(word, nullptr, 0);
    }

private:
    static long address_of(const void* place) { return reinterpret_cast<long>(place); }
    static std::string bytes_of(const std::string& digits)
    {
        std::string bytes;
        for (std::size_t at = 0; at + 1 < digits.size(); at += 2)
            bytes += static_cast<char>(std::stoi(digits.substr(at, 2), nullptr, 16));
        return bytes;
    }

    std::string& keep(std::string text) { return *texts_.emplace_back(std::make_unique<std::string>(std::move(text))); }
    sockaddr_in* loopback(const std::string& port)
    {
        address_.sin_family = AF_INET;
        address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address_.sin_port = htons(static_cast<std::uint16_t>(std::stoul(port)));
        return &address_;
    }
    msghdr* message()
    {
        part_ = {text_.data(), text_.size()};
        message_.msg_iov = &part_;
        message_.msg_iovlen = 1;
        return &message_;
    }
    msghdr* message_to(const std::string& port)
    {
        message_.msg_name = loopback(port);
        message_.msg_namelen = sizeof address_;
        return message();
    }
    msghdr* message_with(int descriptor)
    {
        message_.msg_control = control_.data();
        message_.msg_controllen = control_.size();
        cmsghdr* part = CMSG_FIRSTHDR(&message_);
        *part = {.cmsg_len = CMSG_LEN(sizeof descriptor), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        std::memcpy(CMSG_DATA(part), &descriptor, sizeof descriptor);
        return message();
    }

    std::vector<std::unique_ptr<std::string>> texts_;
    sockaddr_in address_{};
    linger reset_{.l_onoff = 1, .l_linger = 0};
    std::string text_{"out"};
    iovec part_{};
    alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof(int))> control_{};
    msghdr message_{};
};

/// One call, made as often as it is wanted with the same arguments.
class Call {
public:
    Call(std::istream& words, long last)
    {
        words >> name_;
        may_fail_ = name_ == "try" && words >> name_;
        number_ = kCalls.at(name_);
        std::string word;
        for (long& value : values_)
            if (words >> word && word != ";")
                value = arguments_.of(word, last);
            else
                break;
    }
    [[nodiscard]] long make() const
    {
        const long result = ::syscall(number_, values_[0], values_[1], values_[2], values_[3], values_[4], values_[5]);
        return may_fail_ ? std::max(0L, result) : result;
    }
    [[nodiscard]] const std::string& name() const { return name_; }

private:
    std::string name_;
    bool may_fail_{false};
    long number_{};
    Arguments arguments_;
    std::array<long, 6> values_{};
};

void report(const std::string& call, long result, int error)
{
    const char* name = result == -1 ? ::strerrorname_np(error) : "";
    const std::string line = R"({"event":"order","call":")" + call + R"(","result":)" + std::to_string(result) +
                             R"(,"error":")" + (name == nullptr ? "?" : name) + "\"}\n";
    static_cast<void>(!::write(STDOUT_FILENO, line.data(), line.size()));
}

std::vector<std::unique_ptr<Call>> calls_of(std::istream& words, long last)
{
    std::vector<std::unique_ptr<Call>> calls;
    while ((words >> std::ws).good() && (words.peek() != ';' || words.ignore(2).good()))
        calls.push_back(std::make_unique<Call>(words, last));
    return calls;
}

long execute(const std::string& order, long last)
{
    constexpr std::string_view kRepeat = "repeat ";
    std::istringstream words{order};
    long times = 1;
    if (order.starts_with(kRepeat)) words.ignore(kRepeat.size()) >> times;
    const auto calls = calls_of(words, last);
    long result = 0;
    for (long i = 0; i < times && result != -1; ++i)
        for (const auto& call : calls)
            if ((result = call->make()) == -1) break;
    report(calls.back()->name(), result, errno);
    return result;
}

int orders = -1;

/// By recvmsg(2), which both real processes may do as well.
bool read_byte(char& byte)
{
    iovec part{&byte, 1};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    return ::recvmsg(orders, &header, 0) == 1;
}

void obey()
{
    std::string order;
    long last = 0;
    for (char byte{}; read_byte(byte);) {
        if (byte != '\n') {
            order += byte;
            continue;
        }
        last = execute(order, last);
        order.clear();
    }
}

void connect_to_orders()
{
    const auto address = SocketAddress::parse("unix:" + sys::executable_directory().value() + "/orders");
    orders = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::connect(orders, address->data(), address->size()) != 0) std::abort();
}

} // namespace

// The linker puts these in the places of privsep::confine and of log::start, which comes when that has been done.
#define CONFINE(way) way##_ZN9sallyport7privsep7confineERKNS0_7ProfileERKNS_3ipc15SandboxSettingsERKNS0_6GrantsE
#define START_LOG(way) way##_ZN9sallyport3log5startERKNS0_7OptionsE

extern "C" {
privsep::Confined CONFINE(__real_)(const privsep::Profile&, const ipc::SandboxSettings&, const privsep::Grants&);
void START_LOG(__real_)(const log::Options& options);

privsep::Confined CONFINE(__wrap_)(const privsep::Profile& profile, const ipc::SandboxSettings& sandbox,
                                   const privsep::Grants& grants)
{
    connect_to_orders();
    return CONFINE(__real_)(profile, sandbox, grants);
}

void START_LOG(__wrap_)(const log::Options& options)
{
    START_LOG(__real_)(options);
    std::thread{obey}.detach();
}
}

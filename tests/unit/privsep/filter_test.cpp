// From the table to the filter.
#include "privsep/filter.hpp"

#include <algorithm>
#include <csignal>
#include <set>

#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>

#include "sallyport/privsep/container.hpp"
#include "sallyport/sys/process.hpp"
#include "support/catch.hpp"

using namespace sallyport;
using namespace sallyport::privsep;
using ipc::SeccompMode;
using sys::Verdict;

namespace {

constexpr std::uint32_t kOwnId = 4711;

sys::Filter filter(Process process, SeccompMode mode = SeccompMode::enforce, const Grants& grants = {.ipv4 = true})
{
    return filter_of(profile(process), mode, grants, kOwnId);
}

std::vector<sys::FilterRule> rules_of(const sys::Filter& filter, std::string_view call)
{
    std::vector<sys::FilterRule> rules;
    std::ranges::copy_if(filter.rules, std::back_inserter(rules),
                         [&](const sys::FilterRule& rule) { return rule.call == call; });
    return rules;
}

/// Whether a call with these arguments is allowed, as the kernel would decide.
bool allows(const sys::Filter& filter, std::string_view call, std::vector<std::uint64_t> arguments = {})
{
    for (const sys::FilterRule& rule : rules_of(filter, call)) {
        const bool applies = std::ranges::all_of(rule.all_of, [&](const sys::ArgumentCheck& check) {
            return (arguments.at(check.index) & check.mask) == check.value;
        });
        if (applies) return rule.verdict == Verdict::allow;
    }
    return filter.otherwise == Verdict::allow;
}

} // namespace

TEST_CASE("Every row of the table is a call, and stands there once", "[privsep][filter]")
{
    for (const Profile& row : kProfiles) {
        std::set<std::string_view> names;
        for (const Call& call : row.calls) {
            CAPTURE(row.name, call.name);
            CHECK(sys::is_call(call.name));
            CHECK(names.insert(call.name).second);
        }
    }
    for (const Call& call : kSanitizerCalls)
        CHECK(sys::is_call(call.name));
}

TEST_CASE("What every byte and every wait takes has no condition", "[privsep][filter]")
{
    const auto call = GENERATE(as<std::string>{}, "recvfrom", "write", "epoll_wait", "epoll_ctl", "accept4", "connect",
                               "close", "futex", "recvmsg");
    CAPTURE(call);
    const auto rules = rules_of(filter(Process::worker), call);
    REQUIRE(rules.size() == 1);
    CHECK(rules[0] == sys::FilterRule{rules[0].call, Verdict::allow, {}});
    CHECK(allows(tightening_of(profile(Process::worker), SeccompMode::enforce), call));
}

TEST_CASE("Neither child may start a program, trace, bind or load", "[privsep][filter]")
{
    if (sys::kReadsAllFiles) return;
    const auto call = GENERATE(as<std::string>{}, "execve", "execveat", "fork", "vfork", "ptrace", "bind", "listen",
                               "process_vm_readv", "kill", "io_uring_setup", "mount", "bpf", "socketpair", "sendmsg",
                               "sendmmsg", "memfd_create", "open", "setuid", "capset", "keyctl", "dup", "pidfd_open");
    CAPTURE(call);
    CHECK_FALSE(allows(filter(Process::worker), call));
    CHECK_FALSE(allows(filter(Process::keyholder), call));
}

TEST_CASE("The worker opens no file, the keyholder no socket", "[privsep][filter]")
{
    if (!sys::kReadsAllFiles) CHECK_FALSE(allows(filter(Process::worker), "openat", {0, 0, 0, 0}));
    for (const auto* call : {"socket", "connect", "accept4", "sendmsg", "recvfrom"})
        CHECK_FALSE(allows(filter(Process::keyholder), call, {AF_INET, SOCK_STREAM, 0}));
}

TEST_CASE("Once it serves, a worker makes no thread, no event queue, no copy of a descriptor and no filter",
          "[privsep][filter]")
{
    if (sys::kReadsAllFiles) return;
    const auto tightening = tightening_of(profile(Process::worker), SeccompMode::enforce);
    CHECK(tightening.otherwise == Verdict::allow);
    for (const auto* call : {"clone", "clone3", "epoll_create1", "eventfd2", "fcntl", "seccomp"}) {
        CAPTURE(call);
        CHECK_FALSE(rules_of(filter(Process::worker), call).empty());
        CHECK(rules_of(tightening, call) == std::vector{sys::FilterRule{call, Verdict::trap, {}}});
    }
    CHECK(tightening.rules.size() == 6);
}

TEST_CASE("A worker gets the sockets that its upstreams need, and no others", "[privsep][filter]")
{
    struct Case {
        Grants grants;
        int domain;
        int type;
        int protocol;
        bool expected;
    };
    constexpr int kMptcp = 262;
    const auto [grants, domain, type, protocol, expected] = GENERATE(values<Case>({
        {{.ipv4 = true}, AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, true},
        {{.ipv4 = true}, AF_INET, SOCK_STREAM, IPPROTO_TCP, true},
        {{.ipv4 = true}, AF_INET, SOCK_STREAM, kMptcp, false},
        {{.ipv4 = true}, AF_INET, SOCK_STREAM, IPPROTO_SCTP, false},
        {{.ipv4 = true}, AF_INET, SOCK_DGRAM, 0, false},
        {{.ipv4 = true}, AF_INET, SOCK_RAW, IPPROTO_TCP, false},
        {{.ipv4 = true}, AF_INET6, SOCK_STREAM, 0, false},
        {{.ipv4 = true}, AF_UNIX, SOCK_STREAM, 0, false},
        {{.ipv6 = true}, AF_INET6, SOCK_STREAM, 0, true},
        {{.unix_sockets = true}, AF_UNIX, SOCK_STREAM, 0, true},
        {{.unix_sockets = true}, AF_UNIX, SOCK_DGRAM, 0, false},
        {{.unix_sockets = true}, AF_UNIX, SOCK_SEQPACKET, 0, false},
        {{.unix_sockets = true}, AF_INET, SOCK_STREAM, 0, false},
        {{}, AF_INET, SOCK_STREAM, 0, false},
        {{.ipv4 = true}, AF_NETLINK, SOCK_STREAM, 0, false},
    }));
    CAPTURE(domain, type, protocol);
    const auto worker = filter(Process::worker, SeccompMode::enforce, grants);
    const auto bits = [](int value) { return static_cast<std::uint64_t>(value); };
    CHECK(allows(worker, "socket", {bits(domain), bits(type), bits(protocol)}) == expected);
    // What stands above an int is nothing to the kernel.
    constexpr std::uint64_t kGarbage = std::uint64_t{1} << 40;
    CHECK(allows(worker, "socket", {bits(domain) | kGarbage, bits(type), bits(protocol)}) == expected);
}

TEST_CASE("The arguments of other calls are held to what the code uses", "[privsep][filter]")
{
    if (sys::kReadsAllFiles) return;
    const auto worker = filter(Process::worker);
    const auto keyholder = filter(Process::keyholder);
    CHECK(allows(worker, "shutdown", {5, SHUT_WR}));
    CHECK_FALSE(allows(worker, "shutdown", {5, SHUT_RDWR}));
    CHECK_FALSE(allows(worker, "shutdown", {5, SHUT_RD}));
    for (const std::uint64_t shared : {0U, 1U, 2U, 3U}) {
        CHECK_FALSE(allows(worker, "shutdown", {shared, SHUT_WR}));
        CHECK_FALSE(allows(worker, "shutdown", {shared | (std::uint64_t{1} << 32), SHUT_WR}));
    }
    for (const std::uint64_t own : {4U, 7U, 1023U, 1024U, 1'048'575U})
        CHECK(allows(worker, "shutdown", {own, SHUT_WR}));
    constexpr std::uint64_t kAnAddress = std::uint64_t{1} << 40;
    for (const auto& child : {worker, keyholder}) {
        CHECK(allows(child, "sendto", {5, 0, 1, MSG_NOSIGNAL, 0, 0}));
        CHECK_FALSE(allows(child, "sendto", {5, 0, 1, MSG_FASTOPEN | MSG_NOSIGNAL, 0, 0}));
        CHECK_FALSE(allows(child, "sendto", {5, 0, 1, MSG_NOSIGNAL, kAnAddress, 16}));
    }
    CHECK(allows(worker, "setsockopt", {5, SOL_SOCKET, SO_LINGER}));
    CHECK_FALSE(allows(worker, "setsockopt", {5, SOL_SOCKET, SO_ATTACH_FILTER}));
    CHECK_FALSE(allows(worker, "setsockopt", {5, SOL_SOCKET, SO_REUSEPORT}));
    CHECK_FALSE(allows(worker, "mprotect", {0, 4096, 1 | 2 | 4}));
    CHECK(allows(worker, "mprotect", {0, 4096, 1 | 2}));
    CHECK_FALSE(allows(worker, "clone", {SIGCHLD}));
    CHECK(allows(worker, "clone", {0x3d0f00}));
    CHECK(allows(worker, "tgkill", {kOwnId, 1, SIGABRT}));
    CHECK_FALSE(allows(worker, "tgkill", {1, 1, SIGABRT}));
    CHECK(allows(keyholder, "openat", {0, 0, 0}));
    CHECK_FALSE(allows(keyholder, "openat", {0, 0, 1}));
    CHECK_FALSE(allows(keyholder, "openat", {0, 0, 0100}));
}

TEST_CASE("Nobody can take the handler of SIGSYS away", "[privsep][filter]")
{
    for (const Process process : {Process::keyholder, Process::worker}) {
        CHECK(allows(filter(process), "rt_sigaction", {SIGPIPE}));
        CHECK_FALSE(allows(filter(process), "rt_sigaction", {SIGSYS}));
        CHECK_FALSE(allows(filter(process), "rt_sigaction", {(std::uint64_t{1} << 32) | SIGSYS}));
    }
}

TEST_CASE("The gatekeeper's filter forbids alone, and starts, binds and connects are not in it", "[privsep][filter]")
{
    const auto gatekeeper = filter(Process::gatekeeper);
    CHECK(gatekeeper.otherwise == Verdict::allow);
    for (const auto* call : {"execve", "clone", "bind", "connect", "socket", "openat", "kill"})
        CHECK(rules_of(gatekeeper, call).empty());
    for (const auto* call : {"process_vm_writev", "mount", "finit_module", "bpf", "keyctl", "perf_event_open",
                             "userfaultfd", "io_uring_setup"})
        CHECK_FALSE(allows(gatekeeper, call));
}

TEST_CASE("A filter that only logs hinders nothing", "[privsep][filter]")
{
    for (const Profile& row : kProfiles) {
        const auto logs = filter(row.process, SeccompMode::log);
        CHECK(logs.otherwise == (row.filtering == Filtering::forbids ? Verdict::allow : Verdict::log));
        CHECK(std::ranges::all_of(logs.rules, [](const auto& rule) { return rule.verdict == Verdict::allow; }));
    }
    for (const auto& rule : tightening_of(profile(Process::worker), SeccompMode::log).rules)
        CHECK(rule.verdict == Verdict::log);
}

TEST_CASE("A worker is granted what its upstreams are", "[privsep][filter]")
{
    const auto upstream = [](const char* text) {
        return ipc::Upstream{.name = "app", .addresses = {{.address = *SocketAddress::parse(text)}}};
    };
    CHECK(grants_for({}) == Grants{});
    CHECK(grants_for({upstream("127.0.0.1:7766"), upstream("10.0.0.1:80")}) ==
          Grants{.connect_ports = {7766, 80}, .ipv4 = true});
    CHECK(grants_for({upstream("[::1]:7766")}) == Grants{.connect_ports = {7766}, .ipv6 = true});
    CHECK(grants_for({upstream("unix:/run/app.sock")}) == Grants{.unix_sockets = true});
    CHECK(grants_for({upstream("unix:@app")}) == Grants{.unix_sockets = true, .abstract_sockets = true});
}

TEST_CASE("A worker that looks names up is granted its name servers, and either family for what they answer",
          "[privsep][filter]")
{
    const std::optional<ipc::NameService> names{{.servers = {*SocketAddress::parse("10.0.0.2:53")}}};
    const ipc::Upstream upstream{.name = "app", .addresses = {{.host = "app.internal", .port = 7766}}};
    const Grants granted = grants_for({upstream}, names);
    CHECK(granted == Grants{.connect_ports = {7766, 53}, .ipv4 = true, .ipv6 = true, .udp = true});
    const auto sockets_with = [](const Grants& grants) {
        return rules_of(filter_of(profile(Process::worker), SeccompMode::enforce, grants, 1), "socket");
    };
    const auto is_udp = [](const auto& rule) {
        return std::ranges::any_of(rule.all_of,
                                   [](const auto& check) { return check.index == 1 && check.value == SOCK_DGRAM; });
    };
    CHECK(std::ranges::count_if(sockets_with(granted), is_udp) == 2);
    CHECK(std::ranges::count_if(sockets_with({.ipv4 = true, .ipv6 = true}), is_udp) == 0);
}

TEST_CASE("The keyholder seals memory files, and gives no descriptor an owner to signal", "[privsep][filter]")
{
    if (sys::kReadsAllFiles) return;
    const auto keyholder = filter(Process::keyholder);
    const auto allowed = [&](int command) { return allows(keyholder, "fcntl", {5, static_cast<unsigned>(command)}); };
    CHECK(allowed(F_ADD_SEALS));
    CHECK(allowed(F_GET_SEALS));
    for (const int command : {F_SETOWN, F_SETSIG, F_SETOWN_EX, F_SETFL, F_SETLEASE, F_NOTIFY, F_DUPFD})
        CHECK_FALSE(allowed(command));
}

TEST_CASE("A container's filter allows what the three processes may call, and nothing that all are refused",
          "[privsep][filter]")
{
    const sys::Filter container = container_filter();
    for (const Profile& row : kProfiles)
        for (const Call& call : row.calls) {
            CAPTURE(row.name, call.name);
            const bool refused = call.part == Part::none || call.part == Part::absent;
            const auto rules = rules_of(container, call.name);
            CHECK(std::ranges::any_of(rules, [](const auto& rule) { return rule.verdict == Verdict::allow; }) ==
                  !refused);
        }
}

TEST_CASE("A container's filter has conditions where a call could make a namespace or another kind of socket",
          "[privsep][filter]")
{
    const sys::Filter container = container_filter();
    CHECK(allows(container, "clone", {CLONE_VM | CLONE_THREAD}));
    CHECK(allows(container, "clone", {SIGCHLD}));
    for (const auto flag : {CLONE_NEWUSER, CLONE_NEWNET, CLONE_NEWNS, CLONE_NEWPID})
        CHECK_FALSE(allows(container, "clone", {static_cast<std::uint64_t>(flag) | SIGCHLD}));
    for (const int family : {AF_UNIX, AF_INET, AF_INET6})
        CHECK(allows(container, "socket", {static_cast<std::uint64_t>(family)}));
    for (const int family : {AF_NETLINK, AF_PACKET, AF_VSOCK, AF_ALG})
        CHECK_FALSE(allows(container, "socket", {static_cast<std::uint64_t>(family)}));
    CHECK_FALSE(allows(container, "clone3"));
    CHECK_FALSE(allows(container, "mount"));
}

TEST_CASE("A container's rows are calls, and each stands there once", "[privsep][filter]")
{
    std::set<std::string_view> names;
    for (const Call& call : kContainerCalls) {
        CAPTURE(call.name);
        CHECK(sys::is_call(call.name));
        CHECK(names.insert(call.name).second);
    }
}

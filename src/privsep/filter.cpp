#include "filter.hpp"

#include <array>
#include <csignal>
#include <set>
#include <span>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "sallyport/privsep/container.hpp"
#include "sallyport/sys/process.hpp"
#include "sallyport/sys/spawn.hpp"

namespace sallyport::privsep {

namespace {

using sys::ArgumentCheck;
using sys::kAllOfInt;
using sys::Verdict;

template <typename T>
std::uint64_t bits(T value)
{
    return static_cast<std::uint32_t>(value);
}

ArgumentCheck is(unsigned index, auto value)
{
    return {index, kAllOfInt, bits(value)};
}

/// None of these flags.
ArgumentCheck lacks(unsigned index, auto flags)
{
    return {index, bits(flags), 0};
}

ArgumentCheck is_null(unsigned index)
{
    return {.index = index, .value = 0};
}

/// Writes the rules of one call.
class Rules {
public:
    Rules(std::vector<sys::FilterRule>& rules, std::string_view call) : rules_{rules}, call_{call} {}

    void allow(std::vector<ArgumentCheck> all_of = {}) { add(Verdict::allow, std::move(all_of)); }
    void refuse(std::vector<ArgumentCheck> all_of = {}) { add(Verdict::refuse, std::move(all_of)); }
    void pretend_absence() { add(Verdict::absent, {}); }
    void allow_each(unsigned index, std::span<const int> values)
    {
        for (const int value : values)
            allow({is(index, value)});
    }

private:
    void add(Verdict verdict, std::vector<ArgumentCheck> all_of)
    {
        rules_.push_back({call_, verdict, std::move(all_of)});
    }

    std::vector<sys::FilterRule>& rules_;
    std::string_view call_;
};

void allow_sockets(Rules& rules, const Grants& grants)
{
    constexpr int kFlags = SOCK_NONBLOCK | SOCK_CLOEXEC;
    const auto is_of_type = [](int type) { return ArgumentCheck{1, kAllOfInt & ~bits(kFlags), bits(type)}; };
    const ArgumentCheck is_stream = is_of_type(SOCK_STREAM);
    const std::array families{std::pair{AF_INET, grants.ipv4}, std::pair{AF_INET6, grants.ipv6}};
    for (const auto& [family, is_granted] : families)
        if (is_granted)
            for (const int protocol : {0, int{IPPROTO_TCP}})
                rules.allow({is(0, family), is_stream, is(2, protocol)});
    for (const auto& [family, is_granted] : families)
        if (is_granted && grants.udp) rules.allow({is(0, family), is_of_type(SOCK_DGRAM), is(2, 0)});
    if (grants.unix_sockets) rules.allow({is(0, AF_UNIX), is_stream, is(2, 0)});
    // Where nothing is granted, the call is still known: it fails, and the connection with it.
    if (!grants.ipv4 && !grants.ipv6 && !grants.unix_sockets) rules.refuse();
}

constexpr std::array kTimeouts{SO_RCVTIMEO, SO_SNDTIMEO};

void allow_stream_options(Rules& rules)
{
    for (const int option : {SO_RCVTIMEO, SO_SNDTIMEO, SO_LINGER, SO_KEEPALIVE})
        rules.allow({is(1, SOL_SOCKET), is(2, option)});
    for (const int option : {TCP_NODELAY, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT})
        rules.allow({is(1, IPPROTO_TCP), is(2, option)});
}

/// Below sys::kFirstOwnFd is what all three processes share. A filter can compare bits only: any of the higher ones.
void allow_write_half(Rules& rules)
{
    constexpr int kIntBits = 31;
    static_assert(sys::kFirstOwnFd == 1 << 2);
    for (int bit = 2; bit < kIntBits; ++bit)
        rules.allow({{0, bits(1 << bit), bits(1 << bit)}, is(1, SHUT_WR)});
}

constexpr int kNewNamespace =
    CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
constexpr std::array kFamilies{AF_UNIX, AF_INET, AF_INET6};

/// SIGRTMIN of the C library begins above the two signals that it keeps for itself.
void allow_own_signals(Rules& rules)
{
    constexpr int kFirstRealTime = 32;
    if constexpr (sys::kReadsAllFiles) {
        for (int signal = 1; signal < NSIG; ++signal)
            if (signal != SIGSYS) rules.allow({is(0, signal)});
    } else {
        rules.allow_each(0, std::array{SIGPIPE, SIGABRT, kFirstRealTime, kFirstRealTime + 1});
    }
    rules.refuse({is(0, SIGSYS)});
}

void write_rules(Rules rules, Part part, const Grants& grants, std::uint32_t own_id)
{
    switch (part) {
    case Part::all:
        return rules.allow();
    case Part::none:
        return rules.refuse();
    case Part::absent:
        return rules.pretend_absence();
    case Part::threads:
        return rules.allow({{0, bits(CLONE_THREAD), bits(CLONE_THREAD)}});
    case Part::data:
        return rules.allow({lacks(2, PROT_EXEC)});
    case Part::reading:
        return rules.allow({lacks(2, O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND)});
    case Part::granted_sockets:
        return allow_sockets(rules, grants);
    case Part::connected:
        return rules.allow({lacks(3, MSG_FASTOPEN), is_null(4)});
    case Part::write_half:
        return allow_write_half(rules);
    case Part::stream_options:
        return allow_stream_options(rules);
    case Part::seals:
        return rules.allow_each(1, std::array{F_ADD_SEALS, F_GET_SEALS});
    case Part::timeouts:
        for (const int option : kTimeouts)
            rules.allow({is(1, SOL_SOCKET), is(2, option)});
        return;
    case Part::names:
        return rules.allow_each(0, std::array{PR_SET_NAME, PR_GET_SECCOMP});
    case Part::same_namespaces:
        return rules.allow({lacks(0, kNewNamespace)});
    case Part::families:
        return rules.allow_each(0, kFamilies);
    case Part::own_signals:
        return allow_own_signals(rules);
    case Part::own_threads:
        return rules.allow({is(0, own_id)});
    }
}

Verdict otherwise(Filtering filtering, ipc::SeccompMode mode)
{
    if (filtering == Filtering::forbids) return Verdict::allow;
    return mode == ipc::SeccompMode::log ? Verdict::log : Verdict::trap;
}

bool is_in(std::span<const Call> calls, std::string_view name)
{
    for (const Call& call : calls)
        if (call.name == name) return true;
    return false;
}

bool is_of_sanitizers(std::string_view name)
{
    return sys::kReadsAllFiles && is_in(kSanitizerCalls, name);
}

} // namespace

sys::Filter filter_of(const Profile& profile, ipc::SeccompMode mode, const Grants& grants, std::uint32_t own_id)
{
    sys::Filter filter{.otherwise = otherwise(profile.filtering, mode), .rules = {}};
    for (const Call& call : profile.calls)
        if (!is_of_sanitizers(call.name)) write_rules(Rules{filter.rules, call.name}, call.part, grants, own_id);
    if (sys::kReadsAllFiles && profile.filtering == Filtering::permits)
        for (const Call& call : kSanitizerCalls)
            Rules{filter.rules, call.name}.allow();
    if (mode == ipc::SeccompMode::log) // it hinders nothing
        std::erase_if(filter.rules, [](const sys::FilterRule& rule) { return rule.verdict != Verdict::allow; });
    return filter;
}

sys::Filter tightening_of(const Profile& profile, ipc::SeccompMode mode)
{
    sys::Filter filter{.otherwise = Verdict::allow, .rules = {}};
    const Verdict verdict = otherwise(profile.filtering, mode);
    for (const Call& call : profile.calls)
        if (call.until == Phase::starting && !is_of_sanitizers(call.name))
            filter.rules.push_back({call.name, verdict, {}});
    return filter;
}

sys::Filter container_filter()
{
    sys::Filter filter{.otherwise = Verdict::refuse, .rules = {}};
    for (const Call& call : kContainerCalls)
        write_rules(Rules{filter.rules, call.name}, call.part, {}, 0);
    std::set<std::string_view> whole;
    for (const Profile& row : kProfiles)
        for (const Call& call : row.calls)
            if (row.filtering == Filtering::permits && !is_in(kContainerCalls, call.name)) whole.insert(call.name);
    for (const std::string_view name : whole)
        Rules{filter.rules, name}.allow();
    return filter;
}

} // namespace sallyport::privsep

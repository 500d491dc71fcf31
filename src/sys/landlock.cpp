// By raw system calls: the C library has none of them, and Debian 12's <linux/landlock.h> ends at ABI 2.
#include "sallyport/sys/landlock.hpp"

#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sallyport/base/unique_fd.hpp"
#include "sallyport/sys/process.hpp"

namespace sallyport::sys {

namespace {

constexpr unsigned kVersionRequest = 1;
constexpr int kNewestKnown = 7;

enum class RuleType : int { path_beneath = 1, net_port = 2 };

struct RulesetAttribute {
    std::uint64_t handled_access_fs;
    std::uint64_t handled_access_net;
    std::uint64_t scoped;
};
struct [[gnu::packed]] PathAttribute {
    std::uint64_t allowed_access;
    std::int32_t parent_fd;
};
struct PortAttribute {
    std::uint64_t allowed_access;
    std::uint64_t port;
};

constexpr std::uint64_t kReadFile = 1U << 2;
constexpr std::uint64_t kReadDirectory = 1U << 3;
constexpr std::uint64_t kFilesOfAbi1 = (1U << 13) - 1;
constexpr std::uint64_t kRefer = 1U << 13;
constexpr std::uint64_t kTruncate = 1U << 14;
constexpr std::uint64_t kIoctlDevice = 1U << 15;
constexpr std::uint64_t kBindTcp = 1U << 0;
constexpr std::uint64_t kConnectTcp = 1U << 1;
constexpr std::uint64_t kScopeAbstractSockets = 1U << 0;
constexpr std::uint64_t kScopeSignals = 1U << 1;

constexpr std::string_view kEntering = "entering a Landlock domain";

std::uint64_t handled_files(int abi)
{
    std::uint64_t rights = kFilesOfAbi1;
    if (abi >= 2) rights |= kRefer;
    if (abi >= 3) rights |= kTruncate;
    if (abi >= 5) rights |= kIoctlDevice;
    if constexpr (kReadsAllFiles) rights &= ~(kReadFile | kReadDirectory);
    return rights;
}

RulesetAttribute handled(const Guards& guards, const Domain& domain)
{
    RulesetAttribute attribute{.handled_access_fs = handled_files(guards.abi), .handled_access_net = 0, .scoped = 0};
    if (guards.network) attribute.handled_access_net = kBindTcp | kConnectTcp;
    if (guards.scopes) attribute.scoped = kScopeSignals;
    if (guards.scopes && !domain.reaches_abstract_sockets) attribute.scoped |= kScopeAbstractSockets;
    return attribute;
}

bool add_rule(const UniqueFd& ruleset, RuleType type, const void* attribute)
{
    return ::syscall(SYS_landlock_add_rule, ruleset.get(), type, attribute, 0U) == 0;
}

bool allow_reading(const UniqueFd& ruleset, const std::string& path)
{
    const UniqueFd place{::open(path.c_str(), O_PATH | O_CLOEXEC)};
    if (!place || kReadsAllFiles) return true;
    const PathAttribute attribute{.allowed_access = kReadFile, .parent_fd = place.get()};
    return add_rule(ruleset, RuleType::path_beneath, &attribute);
}

bool allow_connecting(const UniqueFd& ruleset, std::uint16_t port)
{
    const PortAttribute attribute{.allowed_access = kConnectTcp, .port = port};
    return add_rule(ruleset, RuleType::net_port, &attribute);
}

bool listing_is_refused()
{
    const UniqueFd root{::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    return !root && errno == EACCES;
}

bool binding_is_refused()
{
    const UniqueFd socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    if (!socket) return true; // a machine without IPv4
    sockaddr_in anywhere{};
    anywhere.sin_family = AF_INET;
    return ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&anywhere), sizeof anywhere) != 0 && errno == EACCES;
}

bool signals_are_refused()
{
    const pid_t parent = ::getppid(); // 0: it is in another PID namespace
    return parent == 0 || (::kill(parent, 0) != 0 && errno == EPERM);
}

} // namespace

Guards guards_of(int abi)
{
    return {.abi = abi, .files = abi >= 1, .network = abi >= 4, .scopes = abi >= 6};
}

Guards available_guards()
{
    const long abi = ::syscall(SYS_landlock_create_ruleset, nullptr, 0UL, kVersionRequest);
    return abi < 1 ? Guards{} : guards_of(static_cast<int>(abi));
}

Result<Guards> enter(const Domain& domain)
{
    Guards guards = available_guards();
    if (guards.abi == 0) return guards;
    guards.abi = guards.abi < kNewestKnown ? guards.abi : kNewestKnown;
    const RulesetAttribute attribute = handled(guards, domain);
    const UniqueFd ruleset{static_cast<int>(
        ::syscall(SYS_landlock_create_ruleset, &attribute, sizeof attribute, 0U))}; // close-on-exec by itself
    if (!ruleset) return fail_errno(kEntering);
    for (const std::string& path : domain.readable)
        if (!allow_reading(ruleset, path)) return fail_errno(kEntering);
    if (guards.network)
        for (const std::uint16_t port : domain.connect_ports)
            if (!allow_connecting(ruleset, port)) return fail_errno(kEntering);
    if (::syscall(SYS_landlock_restrict_self, ruleset.get(), 0U) != 0) return fail_errno(kEntering);
    return guards;
}

bool holds(const Guards& guards)
{
    return (!guards.files || kReadsAllFiles || listing_is_refused()) && (!guards.network || binding_is_refused()) &&
           (!guards.scopes || signals_are_refused());
}

} // namespace sallyport::sys

#include "sallyport/sys/seccomp.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <memory>

#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sallyport/base/contract.hpp"

namespace sallyport::sys {

namespace {

struct Release {
    void operator()(scmp_filter_ctx context) const { seccomp_release(context); }
};
using Context = std::unique_ptr<void, Release>;

constexpr std::string_view kInstalling = "installing a system call filter";
/// PR_GET_SECCOMP's word for filters (SECCOMP_MODE_FILTER).
constexpr int kFilterMode = 2;
/// A binary tree of comparisons in place of a list.
constexpr std::uint32_t kTree = 2;

std::uint32_t action_of(Verdict verdict)
{
    switch (verdict) {
    case Verdict::allow:
        return SCMP_ACT_ALLOW;
    case Verdict::refuse:
        return SCMP_ACT_ERRNO(EPERM);
    case Verdict::absent:
        return SCMP_ACT_ERRNO(ENOSYS);
    case Verdict::trap:
        return SCMP_ACT_TRAP;
    case Verdict::log:
        return SCMP_ACT_LOG;
    }
    return SCMP_ACT_KILL_PROCESS;
}

std::unexpected<Error> failed(int negative_errno)
{
    return fail(Fault::internal, Side::self, kInstalling, {-negative_errno, std::system_category()});
}

int add(const Context& context, const FilterRule& rule)
{
    const std::string name{rule.call};
    const int number = seccomp_syscall_resolve_name(name.c_str());
    if (number < 0) return 0;
    std::vector<scmp_arg_cmp> checks;
    for (const ArgumentCheck& check : rule.all_of)
        checks.push_back({check.index, SCMP_CMP_MASKED_EQ, check.mask, check.value});
    return seccomp_rule_add_exact_array(context.get(), action_of(rule.verdict), number,
                                        static_cast<unsigned>(checks.size()), checks.data());
}

int set_attributes(const Context& context, Threads threads)
{
    // no_new_privs is set, and proven, by the caller; a filter of ours must not be the one to set it.
    const std::array attributes{std::pair{SCMP_FLTATR_CTL_NNP, 0U}, std::pair{SCMP_FLTATR_CTL_SSB, 1U},
                                std::pair{SCMP_FLTATR_CTL_OPTIMIZE, kTree},
                                std::pair{SCMP_FLTATR_API_SYSRAWRC, 1U}, // the kernel's own errors
                                std::pair{SCMP_FLTATR_CTL_TSYNC, threads == Threads::all ? 1U : 0U}};
    for (const auto& [attribute, value] : attributes)
        if (const int error = seccomp_attr_set(context.get(), attribute, value); error != 0) return error;
    return 0;
}

} // namespace

Result<void> install(const Filter& filter, Threads threads)
{
    const Context context{seccomp_init(action_of(filter.otherwise))};
    if (!context) return failed(-ENOMEM);
    if (const int error = set_attributes(context, threads); error != 0) return failed(error);
    for (const FilterRule& rule : filter.rules) {
        if (rule.verdict == filter.otherwise) continue;
        if (const int error = add(context, rule); error != 0) return failed(error);
    }
    if (const int error = seccomp_load(context.get()); error != 0) return failed(error);
    return {};
}

Result<bool> is_filtered()
{
    const int mode = ::prctl(PR_GET_SECCOMP, 0, 0, 0, 0);
    if (mode < 0) return fail_errno("reading the seccomp mode");
    return mode == kFilterMode;
}

std::string call_name(std::uint32_t number)
{
    const std::unique_ptr<char, decltype(&std::free)> name{
        seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, static_cast<int>(number)), std::free};
    return name ? std::string{name.get()} : "call " + std::to_string(number);
}

bool is_call(std::string_view name)
{
    return seccomp_syscall_resolve_name(std::string{name}.c_str()) != __NR_SCMP_ERROR;
}

namespace {

/// For the handler, which can allocate nothing.
struct TrapReport {
    int fd{-1};
    std::array<std::byte, 16> message{};
    std::size_t size{0};
    std::size_t number_at{0};
};
TrapReport trap_report;

void on_trap(int, siginfo_t* info, void*)
{
    const auto number = static_cast<std::uint32_t>(info->si_syscall);
    std::array<std::byte, 16> message = trap_report.message;
    std::memcpy(message.data() + trap_report.number_at, &number, sizeof number);
    // A call that every filter with a handler allows.
    static_cast<void>(::send(trap_report.fd, message.data(), trap_report.size, MSG_NOSIGNAL | MSG_DONTWAIT));
    ::_exit(kTrappedExit);
}

} // namespace

Result<void> report_traps(int fd, std::span<const std::byte> message, std::size_t number_at)
{
    SALLYPORT_ASSERT(message.size() <= trap_report.message.size());
    SALLYPORT_ASSERT(number_at + sizeof(std::uint32_t) <= message.size());
    std::ranges::copy(message, trap_report.message.begin());
    trap_report.fd = fd;
    trap_report.size = message.size();
    trap_report.number_at = number_at;
    struct sigaction action{};
    action.sa_sigaction = on_trap;
    action.sa_flags = SA_SIGINFO;
    sigfillset(&action.sa_mask);
    if (::sigaction(SIGSYS, &action, nullptr) != 0) return fail_errno("setting the handler of SIGSYS");
    return {};
}

} // namespace sallyport::sys

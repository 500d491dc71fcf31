// Seccomp filters (seccomp(2)), by libseccomp: which system calls a thread, and whatever it starts, can still make.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sallyport/base/result.hpp"

namespace sallyport::sys {

/// What the kernel does with a call.
enum class Verdict : std::uint8_t {
    allow,
    refuse, ///< it fails with EPERM
    absent, ///< it fails with ENOSYS: a C library then takes an older call
    trap,   ///< SIGSYS in the calling thread; deadly where that is blocked
    log     ///< it is done, and the kernel's audit log says so
};

/// (argument & mask) == value. Arguments narrower than 64 bits need a mask as wide as they are: the kernel ignores what
/// stands above, and so must the filter.
struct ArgumentCheck {
    unsigned index{};
    std::uint64_t mask{~std::uint64_t{0}};
    std::uint64_t value{};

    bool operator==(const ArgumentCheck&) const = default;
};
inline constexpr std::uint64_t kAllOfInt = 0xffff'ffff;

/// Several rules of one call: any of them may hold. No argument twice in one rule.
struct FilterRule {
    std::string_view call; ///< one that this architecture does not have is passed over
    Verdict verdict{};
    std::vector<ArgumentCheck> all_of;

    bool operator==(const FilterRule&) const = default;
};

struct Filter {
    Verdict otherwise{};
    std::vector<FilterRule> rules; ///< those with the verdict `otherwise` are passed over

    bool operator==(const Filter&) const = default;
};

enum class Threads : std::uint8_t { caller, all };

/// Installs it, for ever, on top of those in force: the strictest verdict of all counts. Needs no_new_privs. Leaves
/// speculation as it is (SECCOMP_FILTER_FLAG_SPEC_ALLOW). Errors: `internal` with the kernel's code; ENOSYS or EINVAL
/// where it has no seccomp filters.
[[nodiscard]] Result<void> install(const Filter& filter, Threads threads);

/// Whether the calling thread is under a filter.
[[nodiscard]] Result<bool> is_filtered();

/// "ptrace", or "call 1234" for one that nobody knows.
[[nodiscard]] std::string call_name(std::uint32_t number);
/// Whether any architecture has a call of this name: false is a typing error.
[[nodiscard]] bool is_call(std::string_view name);

/// How a process ends that makes a trapped call: as shells show a death by SIGSYS.
inline constexpr int kTrappedExit = 128 + 31;

/// From now on a trapped call sends `message`, with the call's number written over its four bytes at `number_at`, to
/// the socket `fd`, and ends the process with kTrappedExit. At most 16 bytes. Once per process.
[[nodiscard]] Result<void> report_traps(int fd, std::span<const std::byte> message, std::size_t number_at);

} // namespace sallyport::sys

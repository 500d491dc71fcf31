#include "sallyport/sys/process.hpp"

#include <algorithm>
#include <array>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <system_error>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "descriptors.hpp"
#include "sallyport/base/contract.hpp"

namespace sallyport::sys {

namespace {

// No kernel allows more open files than fs.nr_open, whose default this is.
constexpr unsigned kDescriptorEnd = 1024 * 1024;

} // namespace

void close_from_to(unsigned first, unsigned last)
{
    if (first > last || ::close_range(first, last, 0) == 0) return;
    for (unsigned fd = first; fd <= std::min(last, kDescriptorEnd); ++fd)
        ::close(static_cast<int>(fd));
}

Result<void> set_no_new_privs()
{
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return fail_errno("setting no_new_privs");
    return {};
}

Result<bool> no_new_privs()
{
    const int value = ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
    if (value < 0) return fail_errno("reading no_new_privs");
    return value == 1;
}

Result<void> set_undumpable()
{
    if constexpr (!kStaysDumpable)
        if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return fail_errno("making the process undumpable");
    return {};
}

Result<bool> dumpable()
{
    const int value = ::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
    if (value < 0) return fail_errno("reading the dumpable flag");
    return value != 0;
}

Result<void> forbid_core_dumps()
{
    const rlimit none{0, 0};
    if (::setrlimit(RLIMIT_CORE, &none) != 0) return fail_errno("forbidding core dumps");
    return {};
}

Result<bool> core_dumps_forbidden()
{
    rlimit limit{};
    if (::getrlimit(RLIMIT_CORE, &limit) != 0) return fail_errno("reading the core limit");
    return limit.rlim_cur == 0 && limit.rlim_max == 0;
}

Result<std::uint64_t> raise_descriptor_limit()
{
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return fail_errno("reading the descriptor limit");
    limit.rlim_cur = limit.rlim_max;
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) return fail_errno("raising the descriptor limit");
    return std::uint64_t{limit.rlim_cur};
}

Result<void> close_all_but(std::span<const int> kept)
{
    std::vector<int> sorted{kept.begin(), kept.end()};
    std::ranges::sort(sorted);
    unsigned first{0};
    for (const int fd : sorted) {
        if (fd < 0) return fail(Fault::internal, Side::self, "closing all other descriptors");
        const auto next = static_cast<unsigned>(fd);
        if (next > first) close_from_to(first, next - 1);
        first = next + 1;
    }
    close_from_to(first, UINT_MAX);
    return {};
}

Result<void> ensure_standard_descriptors()
{
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        if (::fcntl(fd, F_GETFD) >= 0) continue;
        // The lowest free number is the one that is missing, since those below it are open by now.
        const int opened = ::open("/dev/null", O_RDWR); // NOLINT(android-cloexec-open): meant to be inherited
        if (opened < 0) return fail_errno("opening /dev/null");
        SALLYPORT_ASSERT(opened == fd);
    }
    return {};
}

bool is_inherited(int fd)
{
    const int flags = ::fcntl(fd, F_GETFD);
    return flags >= 0 && (flags & FD_CLOEXEC) == 0;
}

Result<void> move_to_standard_input(UniqueFd fd)
{
    if (::dup3(fd.get(), STDIN_FILENO, O_CLOEXEC) < 0) return fail_errno("moving a descriptor to standard input");
    return {};
}

Result<void> ignore_signals(std::span<const int> signals)
{
    struct sigaction ignore{};
    ignore.sa_handler = SIG_IGN;
    for (const int signal : signals)
        if (::sigaction(signal, &ignore, nullptr) != 0) return fail_errno("ignoring a signal");
    return {};
}

namespace {

/// More than malloc(3) keeps of a thread's heap (M_TRIM_THRESHOLD and M_TOP_PAD, 128 KiB each), in blocks that it does
/// not map one by one. Not by `new`: the keyholder's `delete` would wipe, and so touch, all of it.
void grow_and_shrink_own_heap()
{
    constexpr std::size_t kBlocks = 8;
    constexpr std::size_t kBlockBytes = 64 * std::size_t{1024};
    std::array<void*, kBlocks> blocks{};
    for (void*& block : blocks)
        block = std::malloc(kBlockBytes);
    for (void* block : blocks)
        std::free(block);
}

} // namespace

Result<void> read_ahead()
{
    ::tzset();
    try {
        std::thread{grow_and_shrink_own_heap}.join();
    } catch (const std::system_error& error) {
        return fail(Fault::internal, Side::self, "starting a thread", error.code());
    }
    return {};
}

void name_thread(const char* name)
{
    std::array<char, 16> cut{};
    std::strncpy(cut.data(), name, cut.size() - 1);
    ::pthread_setname_np(::pthread_self(), cut.data());
}

} // namespace sallyport::sys

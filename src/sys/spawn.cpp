// The child's half runs between fork and exec of a process that may have threads: it calls async-signal-safe functions
// only, and everything that allocates is prepared before.
#include "sallyport/sys/spawn.hpp"

#include <array>
#include <climits>

#include <fcntl.h>
#include <unistd.h>

#include "birth.hpp"
#include "descriptors.hpp"
#include "sallyport/sys/process.hpp"

namespace sallyport::sys {

namespace {

// Above the numbers that the child rearranges.
constexpr int kFirstSpareFd = 10;

/// What the child needs, made by the parent.
struct Recipe {
    const char* path;
    std::array<char*, 2> arguments;
    int null;
    int control;
    int report; ///< where the errno of a failure goes; closed by a successful exec
};

bool arrange_descriptors(Recipe& recipe)
{
    // Out of the way first: the sources may carry the numbers that the targets need.
    recipe.null = ::fcntl(recipe.null, F_DUPFD_CLOEXEC, kFirstSpareFd);
    recipe.control = ::fcntl(recipe.control, F_DUPFD_CLOEXEC, kFirstSpareFd);
    const int report = ::fcntl(recipe.report, F_DUPFD_CLOEXEC, kFirstSpareFd);
    if (recipe.null < 0 || recipe.control < 0 || report < 0) return false;
    recipe.report = report;
    for (const int output : {STDOUT_FILENO, STDERR_FILENO})
        if (!is_inherited(output) && ::dup2(recipe.null, output) < 0) return false;
    if (::dup2(recipe.null, STDIN_FILENO) < 0 || ::dup2(recipe.control, kControlFd) < 0) return false;
    close_from_to(kControlFd + 1, static_cast<unsigned>(report) - 1);
    close_from_to(static_cast<unsigned>(report) + 1, UINT_MAX);
    return true;
}

[[noreturn]] void become(Recipe recipe)
{
    if (!arrange_descriptors(recipe)) report_and_exit(recipe.report);
    reset_signals();
    std::array<char*, 1> environment{nullptr};
    ::execve(recipe.path, recipe.arguments.data(), environment.data());
    report_and_exit(recipe.report);
}

} // namespace

Result<Child> spawn(const std::string& executable)
{
    auto channel = Channel::pair();
    if (!channel) return std::unexpected{channel.error()};
    auto report = make_pipe();
    if (!report) return std::unexpected{report.error()};
    const UniqueFd null{::open("/dev/null", O_RDWR | O_CLOEXEC)};
    if (!null) return fail_errno("opening /dev/null");

    std::string file_name = executable.substr(executable.rfind('/') + 1);
    const Recipe recipe{.path = executable.c_str(),
                        .arguments = {file_name.data(), nullptr},
                        .null = null.get(),
                        .control = channel->second.fd(),
                        .report = report->write.get()};
    const Result<pid_t> pid = give_birth(std::move(*report), [&] { become(recipe); });
    if (!pid) return std::unexpected{pid.error()};
    return Child{*pid, std::move(channel->first)};
}

Result<std::string> executable_directory()
{
    std::array<char, PATH_MAX> path{};
    const ssize_t size = ::readlink("/proc/self/exe", path.data(), path.size());
    if (size < 0) return fail_errno("finding our own executable");
    const std::string text{path.data(), static_cast<std::size_t>(size)};
    return text.substr(0, text.rfind('/'));
}

} // namespace sallyport::sys

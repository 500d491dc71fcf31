#include "sallyport/sys/spawn.hpp"

#include <array>
#include <climits>
#include <csignal>
#include <cstring>

#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>

#include "sallyport/sys/process.hpp"

namespace sallyport::sys {

namespace {

// Above the numbers that the child rearranges.
constexpr int kFirstSpareFd = 10;

/// What posix_spawn(3) is to do in the child before the exec. Each step fails only for want of memory.
class Recipe {
public:
    Recipe()
    {
        ::posix_spawn_file_actions_init(&descriptors_);
        ::posix_spawnattr_init(&signals_);
    }
    Recipe(const Recipe&) = delete;
    Recipe& operator=(const Recipe&) = delete;
    ~Recipe()
    {
        ::posix_spawn_file_actions_destroy(&descriptors_);
        ::posix_spawnattr_destroy(&signals_);
    }

    void put(int fd, int at) { note(::posix_spawn_file_actions_adddup2(&descriptors_, fd, at)); }
    void close_from(int first) { note(::posix_spawn_file_actions_addclosefrom_np(&descriptors_, first)); }

    /// Every disposition back to its default, and the mask empty.
    void reset_signals()
    {
        sigset_t all, none;
        std::memset(&all, 0xff, sizeof all); // sigfillset(3) leaves out what the C library then has ignored
        sigemptyset(&none);
        note(::posix_spawnattr_setsigdefault(&signals_, &all));
        note(::posix_spawnattr_setsigmask(&signals_, &none));
        note(::posix_spawnattr_setflags(&signals_, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK));
    }

    /// Errors: the first step that could not be noted, or what kept the child from its exec.
    Result<pid_t> follow(const std::string& executable)
    {
        std::string file_name = executable.substr(executable.rfind('/') + 1);
        const std::array<char*, 2> arguments{file_name.data(), nullptr};
        const std::array<char*, 1> environment{nullptr};
        pid_t pid{};
        if (error_ == 0)
            error_ =
                ::posix_spawn(&pid, executable.c_str(), &descriptors_, &signals_, arguments.data(), environment.data());
        if (error_ != 0)
            return fail(Fault::internal, Side::self, "executing a child", {error_, std::system_category()});
        return pid;
    }

private:
    void note(int error)
    {
        if (error_ == 0) error_ = error;
    }

    posix_spawn_file_actions_t descriptors_{};
    posix_spawnattr_t signals_{};
    int error_{0};
};

} // namespace

Result<Child> spawn(const std::string& executable)
{
    auto channel = Channel::pair();
    if (!channel) return std::unexpected{channel.error()};
    const UniqueFd opened{::open("/dev/null", O_RDWR | O_CLOEXEC)};
    if (!opened) return fail_errno("opening /dev/null");
    // The sources may carry the numbers that the targets need.
    const UniqueFd control{::fcntl(channel->second.fd(), F_DUPFD_CLOEXEC, kFirstSpareFd)};
    const UniqueFd null{::fcntl(opened.get(), F_DUPFD_CLOEXEC, kFirstSpareFd)};
    if (!control || !null) return fail_errno("moving descriptors");

    Recipe recipe;
    for (const int output : {STDOUT_FILENO, STDERR_FILENO})
        if (!is_inherited(output)) recipe.put(null.get(), output);
    recipe.put(null.get(), STDIN_FILENO);
    recipe.put(control.get(), kControlFd);
    recipe.close_from(kControlFd + 1);
    recipe.reset_signals();
    const Result<pid_t> pid = recipe.follow(executable);
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

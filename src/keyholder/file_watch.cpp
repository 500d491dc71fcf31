#include "file_watch.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <utility>

#include <sys/inotify.h>
#include <unistd.h>

#include "sallyport/base/result.hpp"

namespace sallyport::keyholder {

namespace {

constexpr std::uint32_t kEvents =
    IN_MOVED_TO | IN_CREATE | IN_CLOSE_WRITE | IN_ATTRIB | IN_DELETE | IN_MOVED_FROM | IN_DELETE_SELF | IN_MOVE_SELF;

} // namespace

FileWatch::FileWatch() : inotify_{::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)}
{
    if (!inotify_) problem_ = "inotify: " + last_errno().message();
}

void FileWatch::follow(const std::vector<std::string>& directories)
{
    if (!inotify_) return;
    std::map<std::string, int> now;
    for (const std::string& directory : directories) {
        const int watch = ::inotify_add_watch(inotify_.get(), directory.c_str(), kEvents);
        if (watch >= 0)
            now.emplace(directory, watch);
        else if (problem_.empty())
            problem_ = directory + ": " + last_errno().message();
    }
    const auto before = std::exchange(watches_, std::move(now));
    for (const auto& [directory, watch] : before)
        forget(watch);
}

/// One that another directory still has, or that has gone with its directory, is none.
void FileWatch::forget(int watch)
{
    const bool in_use = std::ranges::any_of(watches_, [&](const auto& known) { return known.second == watch; });
    if (!in_use) ::inotify_rm_watch(inotify_.get(), watch);
}

void FileWatch::drain()
{
    alignas(inotify_event) std::array<std::byte, 4096> room;
    while (::read(inotify_.get(), room.data(), room.size()) > 0) {
    }
}

std::optional<std::string> FileWatch::take_problem()
{
    if (problem_.empty() || std::exchange(problem_taken_, true)) return std::nullopt;
    return problem_;
}

} // namespace sallyport::keyholder

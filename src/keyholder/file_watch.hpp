// Whether something happens in directories: inotify(7), where the kernel and the mount have it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sallyport/base/unique_fd.hpp"

namespace sallyport::keyholder {

/// Owns: its descriptor. Thread: one. It is a hint and no more: some mounts tell of nothing, and a machine's users
/// share a number of descriptors and watches.
class FileWatch {
public:
    FileWatch();

    /// To wait on; -1: there is none. Readable: `drain`.
    [[nodiscard]] int fd() const { return inotify_.get(); }

    /// From now on these directories, and no others, are watched for what takes a file's place, ends writing one or
    /// changes who may read it. A directory that was replaced by another is found again.
    void follow(const std::vector<std::string>& directories);

    /// Forgets what was told so far.
    void drain();

    /// Why something is not watched, once.
    [[nodiscard]] std::optional<std::string> take_problem();

private:
    void forget(int watch);

    UniqueFd inotify_;
    std::map<std::string, int> watches_;
    std::string problem_;
    bool problem_taken_{false};
};

} // namespace sallyport::keyholder

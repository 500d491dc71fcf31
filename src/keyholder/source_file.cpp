#include "source_file.hpp"

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sallyport/base/unique_fd.hpp"

namespace sallyport::keyholder {

namespace {

std::string id_text(id_t id)
{
    return id == 0 ? "root" : std::to_string(id);
}

std::string mode_text(mode_t mode)
{
    std::string text = "0000";
    for (std::size_t digit = 4; digit-- > 1; mode >>= 3U)
        text[digit] = static_cast<char>('0' + (mode & 7U));
    return text;
}

std::string me_text()
{
    return std::to_string(geteuid()) + ":" + std::to_string(getegid());
}

Problem permission_denied(const std::string& path)
{
    struct stat facts{};
    const std::string start = "cannot read " + path + ": permission denied (";
    // The file itself would let us: it is the sandbox that does not.
    if (faccessat(AT_FDCWD, path.c_str(), R_OK, AT_EACCESS) == 0)
        return {ExitCode::permission, start + "it leads out of the directories that were known at start); keep its "
                                              "target beside the old one, or restart"};
    if (stat(path.c_str(), &facts) != 0)
        return {ExitCode::permission, start + "a directory above it is closed to me, " + me_text() +
                                          "); let this user search it (chmod o+x, or mount it elsewhere)"};
    const std::string group = std::to_string(getegid());
    return {ExitCode::permission, start + "it is mode " + mode_text(facts.st_mode) + " " + id_text(facts.st_uid) + ":" +
                                      id_text(facts.st_gid) + ", I run as " + me_text() +
                                      "); let that group read it: chgrp " + group +
                                      " and chmod g+r on a host, fsGroup: " + group +
                                      " in Kubernetes, uid, gid and mode of the secret in Compose"};
}

Problem unreadable(const std::string& path, int error)
{
    if (error == EACCES || error == EPERM) return permission_denied(path);
    return {ExitCode::configuration, "cannot read " + path + ": " + std::system_category().message(error)};
}

std::unexpected<Problem> too_large(const std::string& label)
{
    return wrong(label + " is larger than " + std::to_string(kSourceFileMax / 1024) +
                 " KiB: it cannot be a certificate or a key");
}

/// A file may grow while it is read: one byte more than its size shows it.
std::size_t capacity_for(const struct stat& facts)
{
    const auto size = static_cast<std::size_t>(facts.st_size);
    return size == 0 || size > kSourceFileMax ? kSourceFileMax + 1 : size + 1;
}

Checked<SecretBuffer> read_whole(int fd, const std::string& label, std::size_t capacity)
{
    SecretBuffer buffer{capacity};
    std::size_t size = 0;
    while (size < capacity) {
        const auto free = buffer.room().subspan(size);
        const ssize_t got = pread(fd, free.data(), free.size(), static_cast<off_t>(size));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return std::unexpected{unreadable(label, errno)};
        if (got == 0) break;
        size += static_cast<std::size_t>(got);
    }
    if (size > kSourceFileMax) return too_large(label);
    if (size == capacity) return wrong(label + " grew while it was read; try again when it is complete");
    if (size == 0) return wrong(label + " is empty");
    buffer.set_size(size);
    return buffer;
}

} // namespace

Checked<SecretBuffer> read_source(const std::string& path)
{
    // Without O_NONBLOCK a FIFO would keep us here for ever.
    const UniqueFd file{open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)};
    if (!file) return std::unexpected{unreadable(path, errno)};
    return read_source(file.get(), path);
}

Checked<SecretBuffer> read_source(int fd, const std::string& label)
{
    struct stat facts{};
    if (fstat(fd, &facts) != 0) return std::unexpected{unreadable(label, errno)};
    if (!S_ISREG(facts.st_mode)) return wrong(label + " is not a regular file");
    return read_whole(fd, label, capacity_for(facts));
}

std::optional<std::string> open_to_others(const std::string& path)
{
    struct stat facts{};
    if (stat(path.c_str(), &facts) != 0) return std::nullopt;
    const bool is_of_group = (facts.st_mode & S_IRGRP) != 0 && facts.st_gid != getegid();
    const bool is_of_all = (facts.st_mode & S_IROTH) != 0;
    if (!is_of_group && !is_of_all) return std::nullopt;
    return path + " may be read by " + (is_of_all ? "everybody" : "its group") + " (mode " + mode_text(facts.st_mode) +
           " " + id_text(facts.st_uid) + ":" + id_text(facts.st_gid) + ", I run as " + me_text() +
           "): chmod 0400, or 0440 with my group; in Kubernetes defaultMode: 0440 with fsGroup";
}

} // namespace sallyport::keyholder

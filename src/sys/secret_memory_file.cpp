#include "sallyport/sys/secret_memory_file.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

// Linux 6.3; glibc 2.36 does not name it.
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

namespace sallyport::sys {

namespace {

constexpr unsigned kFlags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
constexpr int kAllSeals = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;

Result<void> write_all(int fd, std::span<const std::byte> bytes)
{
    while (!bytes.empty()) {
        const ssize_t size = ::write(fd, bytes.data(), bytes.size());
        if (size < 0 && errno == EINTR) continue;
        if (size <= 0) return fail_errno("writing a memory file");
        bytes = bytes.subspan(static_cast<std::size_t>(size));
    }
    return {};
}

} // namespace

Result<UniqueFd> empty_file(const char* name)
{
    int fd = ::memfd_create(name, kFlags | MFD_NOEXEC_SEAL);
    if (fd < 0 && errno == EINVAL) fd = ::memfd_create(name, kFlags);
    if (fd < 0) return fail_errno("making a memory file");
    return UniqueFd{fd};
}

Result<UniqueFd> sealed_copy(std::span<const std::byte> bytes)
{
    Result<UniqueFd> file = empty_file("sallyport-secret");
    if (!file) return file;
    if (const auto written = write_all(file->get(), bytes); !written) return std::unexpected{written.error()};
    if (const auto done = seal(file->get()); !done) return std::unexpected{done.error()};
    return file;
}

Result<void> seal(int fd)
{
    if (::fcntl(fd, F_ADD_SEALS, kAllSeals) != 0) return fail_errno("sealing a memory file");
    return {};
}

Result<bool> sealed(int fd)
{
    const int seals = ::fcntl(fd, F_GET_SEALS);
    if (seals < 0) return fail_errno("reading a memory file's seals");
    return (seals & kAllSeals) == kAllSeals;
}

Result<std::size_t> file_size(int fd)
{
    struct stat file{};
    if (::fstat(fd, &file) != 0) return fail_errno("asking a file's size");
    return static_cast<std::size_t>(file.st_size);
}

Result<void> read_into(int fd, std::span<std::byte> into)
{
    off_t offset{0};
    while (!into.empty()) {
        const ssize_t size = ::pread(fd, into.data(), into.size(), offset);
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) return fail_errno("reading a memory file");
        if (size == 0) return fail(Fault::truncated, Side::self, "reading a memory file");
        into = into.subspan(static_cast<std::size_t>(size));
        offset += size;
    }
    return {};
}

Result<std::vector<std::byte>> read_all(int fd, std::size_t limit)
{
    const auto size = file_size(fd);
    if (!size) return std::unexpected{size.error()};
    if (*size > limit) return fail(Fault::over_limit, Side::self, "reading a memory file");
    std::vector<std::byte> bytes(*size);
    if (const auto read = read_into(fd, bytes); !read) {
        ::explicit_bzero(bytes.data(), bytes.size());
        return std::unexpected{read.error()};
    }
    return bytes;
}

} // namespace sallyport::sys

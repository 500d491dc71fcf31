#include "sallyport/sys/secret_memory_file.hpp"

#include <cerrno>
#include <cstring>
#include <string_view>

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

/// How much there was, between 1 byte and one less than there is room for.
Result<std::size_t> read_to_end(int fd, std::span<std::byte> room)
{
    constexpr std::string_view kDoing = "reading a secret from a descriptor";
    std::size_t size = 0;
    while (size < room.size()) {
        const ssize_t got = ::read(fd, room.data() + size, room.size() - size);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail_errno(kDoing);
        if (got == 0) break;
        size += static_cast<std::size_t>(got);
    }
    if (size == room.size()) return fail(Fault::over_limit, Side::self, kDoing);
    if (size == 0) return fail(Fault::truncated, Side::self, kDoing);
    return size;
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

Result<UniqueFd> sealed_text_of(int fd, std::size_t limit)
{
    std::vector<std::byte> room(limit + 1);
    const Result<std::size_t> size = read_to_end(fd, room);
    auto file = size ? sealed_copy(std::span{room}.first(*size)) : std::unexpected{size.error()};
    ::explicit_bzero(room.data(), room.size());
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

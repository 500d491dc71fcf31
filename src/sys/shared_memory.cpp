#include "sallyport/sys/shared_memory.hpp"

#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sallyport/sys/secret_memory_file.hpp"

namespace sallyport::sys {

SharedMemory::SharedMemory(SharedMemory&& other) noexcept
    : fd_{std::move(other.fd_)}, bytes_{std::exchange(other.bytes_, {})}
{
}

SharedMemory& SharedMemory::operator=(SharedMemory&& other) noexcept
{
    std::swap(fd_, other.fd_);
    std::swap(bytes_, other.bytes_);
    return *this;
}

SharedMemory::~SharedMemory()
{
    if (!bytes_.empty()) ::munmap(bytes_.data(), bytes_.size());
}

Result<std::span<std::byte>> SharedMemory::map_bytes(int fd, std::size_t size, bool is_writable)
{
    void* const place = ::mmap(nullptr, size, PROT_READ | (is_writable ? PROT_WRITE : 0), MAP_SHARED, fd, 0);
    if (place == MAP_FAILED) return fail_errno("mapping shared memory");
    return std::span{static_cast<std::byte*>(place), size};
}

Result<SharedMemory> SharedMemory::make(const char* name, std::size_t size)
{
    SharedMemory made;
    Result<UniqueFd> file = empty_file(name);
    if (!file) return std::unexpected{file.error()};
    made.fd_ = std::move(*file);
    if (::ftruncate(made.fd_.get(), static_cast<off_t>(size)) != 0) return fail_errno("sizing shared memory");
    if (::fcntl(made.fd_.get(), F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK) != 0)
        return fail_errno("sealing shared memory");
    const auto mapped = map_bytes(made.fd_.get(), size, true);
    if (!mapped) return std::unexpected{mapped.error()};
    made.bytes_ = *mapped;
    return made;
}

Result<SharedMemory> SharedMemory::map(UniqueFd fd, bool is_writable, std::size_t size_min)
{
    const auto size = file_size(fd.get());
    if (!size) return std::unexpected{size.error()};
    if (*size < size_min) return fail(Fault::truncated, Side::self, "mapping shared memory");
    const auto mapped = map_bytes(fd.get(), *size, is_writable);
    if (!mapped) return std::unexpected{mapped.error()};
    SharedMemory found;
    found.bytes_ = *mapped;
    return found;
}

void SharedMemory::end_new_writers() const
{
    static_cast<void>(::fcntl(fd_.get(), F_ADD_SEALS, F_SEAL_FUTURE_WRITE));
}

} // namespace sallyport::sys

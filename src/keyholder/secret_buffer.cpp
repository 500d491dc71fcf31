#include "secret_buffer.hpp"

#include <new>
#include <utility>

#include <string.h>
#include <sys/mman.h>

#include "sallyport/base/contract.hpp"

namespace sallyport::keyholder {

SecretBuffer::SecretBuffer(std::size_t capacity) : capacity_{capacity}
{
    if (capacity == 0) return;
    void* pages = mmap(nullptr, capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) throw std::bad_alloc{};
    data_ = static_cast<std::byte*>(pages);
    // Both are best effort: the pages live for milliseconds, and what stays is in the secure heap, which reports.
    static_cast<void>(madvise(pages, capacity, MADV_DONTDUMP));
    static_cast<void>(mlock(pages, capacity));
}

SecretBuffer::SecretBuffer(SecretBuffer&& other) noexcept
    : data_{std::exchange(other.data_, nullptr)},
      capacity_{std::exchange(other.capacity_, 0)},
      size_{std::exchange(other.size_, 0)}
{
}

SecretBuffer& SecretBuffer::operator=(SecretBuffer&& other) noexcept
{
    if (this == &other) return *this;
    wipe();
    data_ = std::exchange(other.data_, nullptr);
    capacity_ = std::exchange(other.capacity_, 0);
    size_ = std::exchange(other.size_, 0);
    return *this;
}

SecretBuffer::~SecretBuffer()
{
    wipe();
}

void SecretBuffer::set_size(std::size_t size)
{
    SALLYPORT_ASSERT(size <= capacity_);
    size_ = size;
}

void SecretBuffer::wipe() noexcept
{
    if (data_ == nullptr) return;
    explicit_bzero(data_, capacity_);
    munmap(data_, capacity_);
}

} // namespace sallyport::keyholder

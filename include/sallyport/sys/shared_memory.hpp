// Memory that our processes share: made by one, mapped by others.
#pragma once

#include <cstddef>
#include <span>

#include "sallyport/base/result.hpp"
#include "sallyport/base/unique_fd.hpp"

namespace sallyport::sys {

/// A memory file in our address space. Owns: the mapping, and, where it was made, the descriptor.
class SharedMemory {
public:
    SharedMemory() = default;
    SharedMemory(SharedMemory&& other) noexcept;
    SharedMemory& operator=(SharedMemory&& other) noexcept;
    ~SharedMemory();

    /// Zeros, for reading and writing. Its size is sealed, so that no reader can meet its end.
    [[nodiscard]] static Result<SharedMemory> make(const char* name, std::size_t size);

    /// What another process has made, for reading or for writing too. Errors: `truncated` below `size_min` bytes.
    [[nodiscard]] static Result<SharedMemory> map(UniqueFd fd, bool is_writable, std::size_t size_min);

    /// Whoever maps it from now on can only read; who writes already goes on. Nothing where the kernel (before 5.1)
    /// does not know that.
    void end_new_writers() const;

    [[nodiscard]] std::span<std::byte> bytes() const { return bytes_; }
    /// -1 if it was mapped, not made.
    [[nodiscard]] int fd() const { return fd_.get(); }

private:
    [[nodiscard]] static Result<std::span<std::byte>> map_bytes(int fd, std::size_t size, bool is_writable);

    UniqueFd fd_;
    std::span<std::byte> bytes_;
};

} // namespace sallyport::sys

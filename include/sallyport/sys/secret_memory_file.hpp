// Files that exist in memory only: how a secret waits for a restarted keyholder without being mapped by anybody.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "sallyport/base/result.hpp"
#include "sallyport/base/unique_fd.hpp"

namespace sallyport::sys {

/// An empty, growable, sealable memory file, close-on-exec, not executable where the kernel knows that. The name is for
/// /proc/PID/fd only.
[[nodiscard]] Result<UniqueFd> empty_file(const char* name);

/// A memory file with these bytes that can never change again.
[[nodiscard]] Result<UniqueFd> sealed_copy(std::span<const std::byte> bytes);

/// A memory file with what read(2) still gives of the descriptor: a pipe's or a file's text. No copy stays behind.
/// Errors: `over_limit` above `limit` bytes, `truncated` if there is none, else the kernel's. Blocks until its end.
[[nodiscard]] Result<UniqueFd> sealed_text_of(int fd, std::size_t limit);

/// No write, no growing, no shrinking, no further seal; also for those who hold the descriptor elsewhere.
[[nodiscard]] Result<void> seal(int fd);
[[nodiscard]] Result<bool> sealed(int fd);

[[nodiscard]] Result<std::size_t> file_size(int fd);

/// Reads the first `into.size()` bytes by pread(2); `truncated` if there are fewer. For callers with memory of their
/// own, such as a secure heap.
[[nodiscard]] Result<void> read_into(int fd, std::span<std::byte> into);

/// The whole content by pread(2), whatever the file offset is. Errors: `over_limit` above `limit` bytes. The caller
/// wipes what it gets.
[[nodiscard]] Result<std::vector<std::byte>> read_all(int fd, std::size_t limit);

} // namespace sallyport::sys

// Where coroutine frames come from: a free list per thread and size class.
#pragma once

#include <cstddef>

namespace sallyport::net {

/// A block of at least `size` bytes. Blocks of up to 2 KiB are reused by the thread that freed them and are never given
/// back to the heap: a shard keeps what its busiest moment needed. Larger ones, and all in sanitizer builds (so that
/// they see every frame), come from operator new. Thread: allocate and release a frame on the same thread.
[[nodiscard]] void* allocate_frame(std::size_t size);
void release_frame(void* block, std::size_t size) noexcept;

} // namespace sallyport::net

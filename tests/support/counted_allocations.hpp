// Counts what the whole test executable allocates: include it in one of its files.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace sallyport::test {
inline std::atomic<std::uint64_t> allocations{0};
} // namespace sallyport::test

#ifndef SALLYPORT_SANITIZED // whose runtimes pair each new with its own delete: there nothing is counted
void* operator new(std::size_t size)
{
    ++sallyport::test::allocations;
    if (void* const memory = std::malloc(size == 0 ? 1 : size)) return memory;
    throw std::bad_alloc{};
}
void operator delete(void* memory) noexcept
{
    std::free(memory);
}
void operator delete(void* memory, std::size_t /*size*/) noexcept
{
    std::free(memory);
}
#endif

#include "sallyport/net/frame_pool.hpp"

#include <array>
#include <new>

namespace sallyport::net {

namespace {

constexpr std::size_t kClassBytes = 64;
constexpr std::size_t kClasses = 32;

struct FreeBlock {
    FreeBlock* next;
};

/// One list per size class; what is on it is freed when the thread ends.
struct FreeLists {
    std::array<FreeBlock*, kClasses> heads{};

    FreeLists() = default;
    FreeLists(const FreeLists&) = delete;
    FreeLists& operator=(const FreeLists&) = delete;
    ~FreeLists()
    {
        for (FreeBlock* head : heads) {
            while (head != nullptr) {
                FreeBlock* next = head->next;
                ::operator delete(head);
                head = next;
            }
        }
    }
};

thread_local FreeLists lists;

#ifdef SALLYPORT_SANITIZED
constexpr bool kPooled = false;
#else
constexpr bool kPooled = true;
#endif

constexpr std::size_t class_of(std::size_t size)
{
    return (size - 1) / kClassBytes;
}

} // namespace

void* allocate_frame(std::size_t size)
{
    const std::size_t index = class_of(size);
    if (!kPooled || index >= kClasses) return ::operator new(size);
    if (FreeBlock* block = lists.heads[index]; block != nullptr) {
        lists.heads[index] = block->next;
        return block;
    }
    return ::operator new((index + 1) * kClassBytes);
}

void release_frame(void* block, std::size_t size) noexcept
{
    const std::size_t index = class_of(size);
    if (!kPooled || index >= kClasses) {
        ::operator delete(block);
        return;
    }
    lists.heads[index] = new (block) FreeBlock{lists.heads[index]};
}

} // namespace sallyport::net

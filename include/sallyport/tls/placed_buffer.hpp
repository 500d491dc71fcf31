// A buffer whose place within its page is chosen.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace sallyport::tls {

/// Owns `size` bytes that begin `in_page` bytes behind the beginning of a page; they are no memory until they are
/// touched.
///
/// Why: `rep movsb`, which glibc and the kernel copy with, is thirty times slower on AMD's Zen 3 and 4 where the target
/// lies 1 to 15 bytes behind the source modulo the page's 4,096 (glibc bug 30994; mended there in 2.39). Two buffers as
/// malloc places them meet it by chance, and keep to it for the life of the process.
class PlacedBuffer {
public:
    static constexpr std::size_t kPage = 4096;

    PlacedBuffer(std::size_t size, std::size_t in_page)
        : memory_{std::make_unique_for_overwrite<std::byte[]>(size + kPage + in_page)}, size_{size}
    {
        const auto address = reinterpret_cast<std::uintptr_t>(memory_.get());
        begin_ = memory_.get() + (kPage - address % kPage) % kPage + in_page;
    }

    [[nodiscard]] std::byte* data() const { return begin_; }
    [[nodiscard]] std::span<std::byte> bytes() const { return {begin_, size_}; }

private:
    std::unique_ptr<std::byte[]> memory_;
    std::byte* begin_{nullptr};
    std::size_t size_;
};

} // namespace sallyport::tls

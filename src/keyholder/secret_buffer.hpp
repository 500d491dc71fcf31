// Memory of its own for a secret that OpenSSL does not hold: locked if the kernel lets us, never dumped, wiped at the
// end.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace sallyport::keyholder {

/// Owns: whole pages outside the heap, so that nothing else shares them. Movable.
class SecretBuffer {
public:
    SecretBuffer() = default;
    /// Throws std::bad_alloc if the kernel gives no pages.
    explicit SecretBuffer(std::size_t capacity);
    SecretBuffer(SecretBuffer&& other) noexcept;
    SecretBuffer& operator=(SecretBuffer&& other) noexcept;
    ~SecretBuffer();

    /// All of it, to be filled.
    [[nodiscard]] std::span<std::byte> room() { return {data_, capacity_}; }
    /// How much of it is content. Limits: at most the capacity.
    void set_size(std::size_t size);

    [[nodiscard]] std::span<const std::byte> bytes() const { return {data_, size_}; }
    [[nodiscard]] std::string_view text() const { return {reinterpret_cast<const char*>(data_), size_}; }

private:
    void wipe() noexcept;

    std::byte* data_{nullptr};
    std::size_t capacity_{0};
    std::size_t size_{0};
};

} // namespace sallyport::keyholder

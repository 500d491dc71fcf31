// Bytes that wait, in one piece.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace sallyport::http2 {

/// Bounded by whoever appends. Keeps a little memory when empty, for its next use.
class ByteQueue {
public:
    [[nodiscard]] bool empty() const { return begin_ == bytes_.size(); }
    [[nodiscard]] std::size_t size() const { return bytes_.size() - begin_; }
    [[nodiscard]] std::span<const std::byte> bytes() const { return std::span{bytes_}.subspan(begin_); }

    void append(std::span<const std::byte> bytes);
    /// The first `size` bytes are done with.
    void consume(std::size_t size);

private:
    std::vector<std::byte> bytes_;
    std::size_t begin_{0};
};

} // namespace sallyport::http2

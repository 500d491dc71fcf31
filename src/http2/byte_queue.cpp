#include "sallyport/http2/byte_queue.hpp"

#include "sallyport/base/contract.hpp"

namespace sallyport::http2 {

namespace {

constexpr std::size_t kKept = 4096;

} // namespace

void ByteQueue::append(std::span<const std::byte> bytes)
{
    // What is done with is overwritten rather than grown around, once it is the larger part.
    if (begin_ > size()) {
        bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(begin_));
        begin_ = 0;
    }
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
}

void ByteQueue::consume(std::size_t size)
{
    SALLYPORT_ASSERT(size <= this->size());
    begin_ += size;
    if (!empty()) return;
    begin_ = 0;
    if (bytes_.capacity() > kKept)
        bytes_ = {};
    else
        bytes_.clear();
}

} // namespace sallyport::http2

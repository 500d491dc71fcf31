#include "sallyport/net/held_bytes.hpp"

#include <cstring>

namespace sallyport::net {

void HeldBytes::append(std::span<const std::byte> bytes)
{
    if (bytes.empty()) return;
    const auto waiting = this->bytes();
    auto larger = std::make_unique_for_overwrite<std::byte[]>(waiting.size() + bytes.size());
    if (!waiting.empty()) std::memcpy(larger.get(), waiting.data(), waiting.size());
    std::memcpy(larger.get() + waiting.size(), bytes.data(), bytes.size());
    const std::size_t size = waiting.size() + bytes.size();
    budget_.free_ += static_cast<std::ptrdiff_t>(used_);
    budget_.free_ -= static_cast<std::ptrdiff_t>(size);
    block_ = std::move(larger);
    sent_ = 0;
    used_ = size;
}

void HeldBytes::consume(std::size_t size)
{
    sent_ += size;
    if (sent_ == used_) clear();
}

void HeldBytes::clear()
{
    budget_.free_ += static_cast<std::ptrdiff_t>(used_);
    block_.reset();
    sent_ = 0;
    used_ = 0;
}

} // namespace sallyport::net

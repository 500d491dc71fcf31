#include "sallyport/tls/scratch.hpp"

#include <algorithm>
#include <cstring>

// memcpy, since g++ 12 makes of std::ranges::copy over bytes a loop of single bytes: it was 46 % of a download's CPU.

namespace sallyport::tls {

std::size_t Scratch::take_input(std::span<std::byte> into)
{
    const std::size_t size = std::min(into.size(), input_.size());
    if (size > 0) std::memcpy(into.data(), input_.data(), size);
    input_ = input_.subspan(size);
    return size;
}

std::size_t Scratch::put_output(std::span<const std::byte> from)
{
    const std::size_t size = std::min(from.size(), kCipherOut - written_);
    if (size > 0) std::memcpy(cipher_out_.data() + written_, from.data(), size);
    written_ += size;
    return size;
}

} // namespace sallyport::tls

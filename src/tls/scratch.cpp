#include "sallyport/tls/scratch.hpp"

#include <algorithm>

namespace sallyport::tls {

std::size_t Scratch::take_input(std::span<std::byte> into)
{
    const std::size_t size = std::min(into.size(), input_.size());
    std::ranges::copy(input_.first(size), into.begin());
    input_ = input_.subspan(size);
    return size;
}

std::size_t Scratch::put_output(std::span<const std::byte> from)
{
    const std::size_t size = std::min(from.size(), kCipherOut - written_);
    std::ranges::copy(from.first(size), cipher_out_.get() + written_);
    written_ += size;
    return size;
}

} // namespace sallyport::tls

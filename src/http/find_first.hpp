// Bytes looked for sixteen at a time, which every processor that we build for can.
#pragma once

#include <cstddef>
#include <cstdint>
#include <experimental/simd>

namespace sallyport::http {

/// The first byte that `is_sought` is true of, or `end`. It is asked of one byte and, by the same words, of sixteen.
template <typename IsSought>
const char* find_first(const char* at, const char* end, IsSought is_sought)
{
    namespace simd = std::experimental;
    using Sixteen = simd::simd<std::uint8_t, simd::simd_abi::deduce_t<std::uint8_t, 16>>;
    constexpr std::ptrdiff_t kSixteen = 16;
    for (; end - at >= kSixteen; at += kSixteen) {
        const auto found = is_sought(Sixteen{reinterpret_cast<const std::uint8_t*>(at), simd::element_aligned});
        if (simd::any_of(found)) return at + simd::find_first_set(found);
    }
    while (at < end && !is_sought(static_cast<std::uint8_t>(*at)))
        ++at;
    return at;
}

} // namespace sallyport::http

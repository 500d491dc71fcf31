// CRC32C (RFC 4960 appendix B), of a few hundred bytes at most: a table suffices.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace sallyport::proxy_protocol {

/// The running sum: begins with this, and `finished` makes the checksum of it.
inline constexpr std::uint32_t kCrc32cStart = 0xffff'ffff;
[[nodiscard]] std::uint32_t crc32c(std::uint32_t sum, std::span<const std::byte> bytes);
[[nodiscard]] constexpr std::uint32_t finished(std::uint32_t sum)
{
    return ~sum;
}

} // namespace sallyport::proxy_protocol

#include "crc32c.hpp"

#include <array>

namespace sallyport::proxy_protocol {

namespace {

constexpr std::uint32_t kPolynomial = 0x82f6'3b78; // its bits reversed

constexpr auto kTable = [] {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t byte = 0; byte < table.size(); ++byte) {
        std::uint32_t sum = byte;
        for (int bit = 0; bit < 8; ++bit)
            sum = (sum & 1) != 0 ? (sum >> 1) ^ kPolynomial : sum >> 1;
        table[byte] = sum;
    }
    return table;
}();

} // namespace

std::uint32_t crc32c(std::uint32_t sum, std::span<const std::byte> bytes)
{
    for (const std::byte byte : bytes)
        sum = (sum >> 8) ^ kTable[(sum ^ std::to_integer<std::uint32_t>(byte)) & 0xff];
    return sum;
}

} // namespace sallyport::proxy_protocol

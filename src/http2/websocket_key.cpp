#include "websocket_key.hpp"

#include <cstdint>
#include <string_view>

#include <unistd.h>

#include "sallyport/base/contract.hpp"

namespace sallyport::http2 {

std::array<char, 24> make_websocket_key()
{
    constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::array<std::uint8_t, 18> bytes{}; // 16, and what the last digits are filled up with
    SALLYPORT_ASSERT(getentropy(bytes.data(), 16) == 0);
    std::array<char, 24> key{};
    for (std::size_t i = 0; i < 6; ++i) {
        const std::uint32_t three =
            static_cast<std::uint32_t>(bytes[3 * i] << 16U | bytes[3 * i + 1] << 8U | bytes[3 * i + 2]);
        for (std::size_t digit = 0; digit < 4; ++digit)
            key[4 * i + digit] = kDigits[three >> (18 - 6 * digit) & 0x3FU];
    }
    key[22] = key[23] = '=';
    return key;
}

} // namespace sallyport::http2

// What reader and writer agree on: the numbers of version 2 (PP §2.2).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sallyport::proxy_protocol {

inline constexpr std::string_view kLineStart = "PROXY ";
inline constexpr std::string_view kLineEnd = "\r\n";
/// The longest line of version 1, its end included (PP §2.1).
inline constexpr std::size_t kLineMax = 107;

inline constexpr std::string_view kSignature{"\r\n\r\n\0\r\nQUIT\n", 12};
/// Signature, version and command, family and protocol, length of the rest.
inline constexpr std::size_t kFixedSize = 16;

inline constexpr std::uint8_t kVersion2 = 0x20;
enum class Command : std::uint8_t { local = 0, proxy = 1 };

/// Families with their protocol: those of streams.
enum class Family : std::uint8_t { unspecified = 0x00, tcp4 = 0x11, tcp6 = 0x21, unix_stream = 0x31 };
inline constexpr std::size_t kTcp4Size = 12;
inline constexpr std::size_t kTcp6Size = 36;
inline constexpr std::size_t kUnixSize = 216;

enum class Field : std::uint8_t {
    alpn = 0x01,
    authority = 0x02,
    crc32c = 0x03,
    unique_id = 0x05,
    ssl = 0x20,
    ssl_version = 0x21,
    ssl_cn = 0x22,
    ssl_cipher = 0x23,
    ssl_group = 0x26,
};
/// Type and length.
inline constexpr std::size_t kFieldHead = 3;
inline constexpr std::size_t kChecksumSize = 4;
inline constexpr std::size_t kUniqueIdMax = 128;
/// Flags and the result of verifying, before the fields inside.
inline constexpr std::size_t kSslHead = 5;
inline constexpr std::uint8_t kSslUsed = 0x01;
inline constexpr std::uint8_t kSslCertificate = 0x02; ///< presented on this very connection

} // namespace sallyport::proxy_protocol

// Headers as bytes, put together by hand, so that reader and writer are held against the document, not each other.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

#include "sallyport/proxy_protocol/header.hpp"

namespace sallyport::proxy_protocol {

inline std::string raw(std::initializer_list<int> bytes)
{
    std::string text;
    for (const int byte : bytes)
        text.push_back(static_cast<char>(byte));
    return text;
}

/// An additional field.
inline std::string field(int type, const std::string& value)
{
    return raw({type, static_cast<int>(value.size() >> 8), static_cast<int>(value.size() & 0xff)}) + value;
}

inline const std::string kSignatureBytes =
    raw({0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a});

/// Version 2.
inline std::string block(int version_and_command, int family, const std::string& rest)
{
    return kSignatureBytes +
           raw({version_and_command, family, static_cast<int>(rest.size() >> 8),
                static_cast<int>(rest.size() & 0xff)}) +
           rest;
}

/// 192.0.2.1:4660 to 198.51.100.2:443.
inline const std::string kIpv4Pair = raw({192, 0, 2, 1, 198, 51, 100, 2, 0x12, 0x34, 0x01, 0xbb});
/// [2001:db8::1]:4660 to [2001:db8::2]:443.
inline const std::string kIpv6Pair =
    raw({0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,    1,    0x20, 0x01,
         0x0d, 0xb8, 0,    0,    0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0x12, 0x34, 0x01, 0xbb});

inline auto look_at(const std::string& text, const Rules& rules = {Versions::any, 4096})
{
    return look(std::as_bytes(std::span{text}), rules);
}

} // namespace sallyport::proxy_protocol

// The texts that a TLS server signs, and others like them.
#pragma once

#include <cstddef>
#include <string>

#include "sallyport/ipc/keys.hpp"

namespace texts {

inline sallyport::ipc::Bytes bytes(const std::string& text)
{
    const auto* first = reinterpret_cast<const std::byte*>(text.data());
    return {first, first + text.size()};
}

inline sallyport::ipc::Bytes tls13(std::size_t hash_size,
                                   const std::string& context = "TLS 1.3, server CertificateVerify")
{
    return bytes(std::string(64, ' ') + context + '\0' + std::string(hash_size, 'h'));
}

inline sallyport::ipc::Bytes tls12(unsigned group, std::size_t point_size, char random = 'r')
{
    std::string point(point_size, 'p');
    if (group == 23 || group == 24 || group == 25) point[0] = '\4';
    const std::string head{'\3', static_cast<char>(group >> 8U), static_cast<char>(group & 0xffU),
                           static_cast<char>(point_size)};
    return bytes(std::string(64, random) + head + point);
}

} // namespace texts

#include "block.hpp"

#include <array>
#include <cstring>

#include <netinet/in.h>
#include <sys/un.h>

#include "crc32c.hpp"
#include "format.hpp"

namespace sallyport::proxy_protocol {

namespace {

using Bytes = std::span<const std::byte>;
/// Why it is malformed; empty: it is not.
using Flaw = std::string_view;

std::uint8_t byte_at(Bytes bytes, std::size_t at)
{
    return std::to_integer<std::uint8_t>(bytes[at]);
}

std::size_t size_at(Bytes bytes, std::size_t at)
{
    return std::size_t{byte_at(bytes, at)} << 8 | byte_at(bytes, at + 1);
}

std::uint32_t number_at(Bytes bytes, std::size_t at)
{
    return static_cast<std::uint32_t>(size_at(bytes, at) << 16 | size_at(bytes, at + 2));
}

struct OneField {
    Field type;
    Bytes value;
};

/// Takes the first field off.
std::optional<OneField> take_field(Bytes& rest)
{
    if (rest.size() < kFieldHead) return std::nullopt;
    const OneField field{static_cast<Field>(byte_at(rest, 0)), rest.subspan(kFieldHead)};
    const std::size_t size = size_at(rest, 1);
    if (field.value.size() < size) return std::nullopt;
    rest = field.value.subspan(size);
    return OneField{field.type, field.value.first(size)};
}

constexpr Flaw kFieldBeyond = "a field reaches beyond the header";

Flaw check_ssl(Bytes value)
{
    if (value.size() < kSslHead) return "the field of TLS is too short";
    for (Bytes rest = value.subspan(kSslHead); !rest.empty();)
        if (!take_field(rest)) return "a field of TLS reaches beyond its end";
    return {};
}

/// The sum is of the whole header, with zeros in its own place.
bool fits(Bytes sum, Bytes block)
{
    constexpr std::array<std::byte, kChecksumSize> kZeros{};
    const auto before = block.first(static_cast<std::size_t>(sum.data() - block.data()));
    const std::uint32_t expected =
        crc32c(crc32c(crc32c(kCrc32cStart, before), kZeros), block.subspan(before.size() + kZeros.size()));
    return finished(expected) == number_at(sum, 0);
}

Flaw check_field(const OneField& field)
{
    switch (field.type) {
    case Field::ssl:
        return check_ssl(field.value);
    case Field::unique_id:
        return field.value.size() > kUniqueIdMax ? Flaw{"the unique id is too long"} : Flaw{};
    case Field::crc32c:
        return field.value.size() != kChecksumSize ? Flaw{"the checksum has not four bytes"} : Flaw{};
    default:
        return {};
    }
}

/// The checksum among them, if there is one.
std::expected<std::optional<Bytes>, Flaw> read_fields(Bytes fields)
{
    std::optional<Bytes> sum;
    while (!fields.empty()) {
        const auto field = take_field(fields);
        if (!field) return std::unexpected{kFieldBeyond};
        if (const Flaw flaw = check_field(*field); !flaw.empty()) return std::unexpected{flaw};
        if (field->type != Field::crc32c) continue;
        if (sum) return std::unexpected{"there are two checksums"};
        sum = field->value;
    }
    return sum;
}

std::optional<std::size_t> address_size(Family family)
{
    switch (family) {
    case Family::unspecified:
        return 0;
    case Family::tcp4:
        return kTcp4Size;
    case Family::tcp6:
        return kTcp6Size;
    case Family::unix_stream:
        return kUnixSize;
    }
    return std::nullopt;
}

SocketAddress tcp4_at(Bytes host, Bytes port)
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    std::memcpy(&address.sin_addr, host.data(), sizeof address.sin_addr);
    std::memcpy(&address.sin_port, port.data(), sizeof address.sin_port);
    return SocketAddress::from(reinterpret_cast<const sockaddr*>(&address), sizeof address).value();
}

SocketAddress tcp6_at(Bytes host, Bytes port)
{
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    std::memcpy(&address.sin6_addr, host.data(), sizeof address.sin6_addr);
    std::memcpy(&address.sin6_port, port.data(), sizeof address.sin6_port);
    return SocketAddress::from(reinterpret_cast<const sockaddr*>(&address), sizeof address).value();
}

/// A path is of the proxy's machine, and nothing to us: it is left out.
SocketAddress unix_socket()
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    return SocketAddress::from(reinterpret_cast<const sockaddr*>(&address), sizeof address.sun_family).value();
}

void read_addresses(Header& header, Family family, Bytes at)
{
    switch (family) {
    case Family::unspecified:
        return;
    case Family::tcp4:
        header.source = tcp4_at(at.first(4), at.subspan(8));
        header.destination = tcp4_at(at.subspan(4), at.subspan(10));
        return;
    case Family::tcp6:
        header.source = tcp6_at(at.first(16), at.subspan(32));
        header.destination = tcp6_at(at.subspan(16), at.subspan(34));
        return;
    case Family::unix_stream:
        header.source = header.destination = unix_socket();
        return;
    }
}

/// What stands behind the fixed part: addresses, then fields. Returns the checksum, if there is one.
std::expected<std::optional<Bytes>, Flaw> read_rest(Family family, Bytes rest)
{
    const auto size = address_size(family);
    if (!size) return std::unexpected{"the family or protocol is not one of streams"};
    if (rest.size() < *size) return std::unexpected{"the addresses reach beyond the header"};
    return read_fields(rest.subspan(*size));
}

/// `block`: the whole header and nothing behind it.
std::expected<Header, Flaw> read_block(Bytes block)
{
    Header header{.size = block.size()};
    const auto command = static_cast<Command>(byte_at(block, 12) & 0x0f);
    const auto family = static_cast<Family>(byte_at(block, 13));
    const Bytes rest = block.subspan(kFixedSize);
    const auto sum = read_rest(family, rest);
    // Of LOCAL "discard the protocol block including the family": what is in it need mean nothing.
    if (!sum && command == Command::local) return header;
    if (!sum) return std::unexpected{sum.error()};
    if (*sum && !fits(**sum, block)) return std::unexpected{"the checksum does not fit"};
    if (command == Command::proxy) read_addresses(header, family, rest);
    return header;
}

} // namespace

std::expected<Look, std::string_view> look_at_block(Bytes bytes, std::size_t size_max)
{
    if (bytes.size() < kFixedSize) return Look{.kind = Look::Kind::partial};
    const std::uint8_t version = byte_at(bytes, 12);
    if ((version & 0xf0) != kVersion2) return std::unexpected{"the version is not known"};
    if ((version & 0x0f) > static_cast<std::uint8_t>(Command::proxy))
        return std::unexpected{"the command is not known"};
    const std::size_t size = kFixedSize + size_at(bytes, 14);
    if (size > size_max) return std::unexpected{"the header is larger than max_size"};
    if (bytes.size() < size) return Look{.kind = Look::Kind::partial};
    const auto header = read_block(bytes.first(size));
    if (!header) return std::unexpected{header.error()};
    return Look{Look::Kind::whole, *header};
}

} // namespace sallyport::proxy_protocol

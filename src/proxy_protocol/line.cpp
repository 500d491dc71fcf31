#include "line.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

#include "format.hpp"

namespace sallyport::proxy_protocol {

namespace {

constexpr std::string_view kAddressFlaw = "an address of the line is malformed";

/// What is between two single spaces; nothing if there are more or fewer parts.
template <std::size_t N>
std::optional<std::array<std::string_view, N>> split(std::string_view text)
{
    std::array<std::string_view, N> parts;
    for (std::size_t i = 0; i < N; ++i) {
        const std::size_t end = std::min(text.find(' '), text.size());
        const bool is_last = i + 1 == N;
        if (end == 0 || is_last != (end == text.size())) return std::nullopt;
        parts[i] = text.substr(0, end);
        text.remove_prefix(is_last ? end : end + 1);
    }
    return parts;
}

/// "heading zeroes are not permitted"
std::optional<std::uint16_t> parse_port(std::string_view text)
{
    std::uint16_t port{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    const bool is_whole = error == std::errc{} && end == text.data() + text.size();
    if (!is_whole || (text.size() > 1 && text.front() == '0')) return std::nullopt;
    return port;
}

std::optional<SocketAddress> parse_address(bool is_ipv6, std::string_view host, std::string_view port)
{
    const auto number = parse_port(port);
    if (!number || host.starts_with('[') || (host.find(':') != host.npos) != is_ipv6) return std::nullopt;
    const auto address = SocketAddress::parse((is_ipv6 ? "[" : "") + std::string{host} + (is_ipv6 ? "]:1" : ":1"));
    if (!address) return std::nullopt;
    return address->with_port(*number); // which may be 0
}

std::expected<Header, std::string_view> parse_line(std::string_view line, std::size_t size)
{
    constexpr std::string_view kUnknown = "UNKNOWN";
    // "the receiver must ignore anything presented before the CRLF is found"
    if (line == kUnknown || line.starts_with("UNKNOWN ")) return Header{.size = size};
    const bool is_ipv6 = line.starts_with("TCP6 ");
    if (!is_ipv6 && !line.starts_with("TCP4 ")) return std::unexpected{"the line names no known family"};
    const auto parts = split<5>(line);
    if (!parts) return std::unexpected{"the line has not its six parts"};
    const auto& [family, source, destination, source_port, destination_port] = *parts;
    Header header{size, parse_address(is_ipv6, source, source_port),
                  parse_address(is_ipv6, destination, destination_port)};
    if (!header.source || !header.destination) return std::unexpected{kAddressFlaw};
    return header;
}

} // namespace

std::expected<Look, std::string_view> look_at_line(std::string_view text, std::size_t size_max)
{
    const std::size_t most = std::min(kLineMax, size_max);
    const std::size_t end = text.substr(0, most).find(kLineEnd);
    if (end == text.npos) {
        if (text.size() >= most) return std::unexpected{"the line has no end"};
        return Look{.kind = Look::Kind::partial};
    }
    const auto header = parse_line(text.substr(kLineStart.size(), end - kLineStart.size()), end + kLineEnd.size());
    if (!header) return std::unexpected{header.error()};
    return Look{Look::Kind::whole, *header};
}

} // namespace sallyport::proxy_protocol

#include "authority.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

#include <arpa/inet.h>

#include "characters.hpp"

namespace sallyport::http {

namespace {

bool is_ipv6(std::string_view address)
{
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (address.size() >= text.size()) return false;
    std::ranges::copy(address, text.begin());
    in6_addr parsed{};
    return inet_pton(AF_INET6, text.data(), &parsed) == 1;
}

/// Of the host in front of `text`: a name, or an IPv6 address with its brackets. 0: there is none.
std::size_t host_size(std::string_view text)
{
    if (text.starts_with('[')) {
        const std::size_t size = text.find(']') + 1;
        return size > 2 && is_ipv6(text.substr(1, size - 2)) ? size : 0;
    }
    return static_cast<std::size_t>(std::ranges::find_if_not(text, [](char c) { return is_in(c, kNameByte); }) -
                                    text.begin());
}

bool is_port(std::string_view port)
{
    std::uint16_t number{};
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
    return port.empty() || (error == std::errc{} && end == port.data() + port.size());
}

std::string_view or_default(std::string_view port, std::string_view default_port)
{
    port.remove_prefix(std::min(port.find_first_not_of('0'), port.size()));
    return port.empty() ? default_port : port;
}

} // namespace

std::optional<Authority> parse_authority(std::string_view text)
{
    const std::size_t size = host_size(text);
    if (size == 0) return std::nullopt;
    if (size == text.size()) return Authority{text, {}};
    const std::string_view port = text.substr(size + 1);
    if (text[size] != ':' || !is_port(port)) return std::nullopt;
    return Authority{text.substr(0, size), port};
}

bool same(const Authority& a, const Authority& b, std::string_view default_port)
{
    return equal_but_for_case(a.host, b.host) && or_default(a.port, default_port) == or_default(b.port, default_port);
}

} // namespace sallyport::http

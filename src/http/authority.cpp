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

bool is_host(std::string_view host)
{
    if (host.starts_with('['))
        return host.size() > 2 && host.ends_with(']') && is_ipv6(host.substr(1, host.size() - 2));
    return consists_of(host, kNameByte);
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
    const std::size_t bracket = text.rfind(']');
    const std::size_t colon = text.find(':', bracket == std::string_view::npos ? 0 : bracket);
    Authority authority{text.substr(0, colon), {}};
    if (colon != std::string_view::npos) authority.port = text.substr(colon + 1);
    if (!is_host(authority.host) || !is_port(authority.port)) return std::nullopt;
    return authority;
}

bool same(const Authority& a, const Authority& b, std::string_view default_port)
{
    return equal_but_for_case(a.host, b.host) && or_default(a.port, default_port) == or_default(b.port, default_port);
}

} // namespace sallyport::http

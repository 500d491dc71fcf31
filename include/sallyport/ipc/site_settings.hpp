// What a listener of `mode: http` does with requests, as its message tells it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace sallyport::ipc {

/// Which fields tell the app of the client.
enum class ForwardedForm : std::uint8_t { x_forwarded, rfc7239, both, none };

/// What becomes of a request that no route takes.
enum class Otherwise : std::uint8_t { not_found, forward, redirect };

/// The addresses that begin with the same `prefix` bits; IPv4 as IPv6 (::ffff:0:0/96).
struct Network {
    std::array<std::byte, 16> address{};
    std::uint8_t prefix{}; ///< at most 128

    bool operator==(const Network&) const = default;

    template <typename A>
    void fields(A& a)
    {
        a(address, prefix);
    }
};

struct HeaderLine {
    std::string name;
    std::string value;

    bool operator==(const HeaderLine&) const = default;

    template <typename A>
    void fields(A& a)
    {
        a(name, value);
    }
};

/// What a configuration changes in a head. Names are tokens, values are field values; none is about framing.
struct HeaderRules {
    std::vector<HeaderLine> set{}; ///< in place of all of this name
    std::vector<HeaderLine> add{};
    std::vector<std::string> remove{};

    bool operator==(const HeaderRules&) const = default;

    template <typename A>
    void fields(A& a)
    {
        a(set, add, remove);
    }
};

/// Of a listener of mode http.
struct SiteSettings {
    Otherwise otherwise{};
    std::uint16_t redirect_port{}; ///< never 0 where there is a redirect
    ForwardedForm forwarded{};
    std::vector<Network> trusted_proxies;
    bool trusts_unix_sockets{}; ///< whoever connects to a Unix socket is a trusted proxy
    std::string hsts;           ///< the value of Strict-Transport-Security; empty: none
    HeaderRules request;
    HeaderRules response;

    template <typename A>
    void fields(A& a)
    {
        a(otherwise, redirect_port, forwarded, trusted_proxies, trusts_unix_sockets, hsts, request, response);
    }
};

} // namespace sallyport::ipc

// 421: a request came by a connection that was not made for its host (RFC 9110 §15.5.20).
#pragma once

#include <cstdint>
#include <string_view>

namespace sallyport::site {

/// Who a listener is for one name: the certificate that it shows, and whom it lets in. Indexes of the caller's.
struct Identity {
    std::uint32_t certificate{0};
    std::uint32_t client_policy{0};

    bool operator==(const Identity&) const = default;
};

/// The cheap half: whether the two names could have different identities at all. Most requests end here.
/// `sni`: empty if none was sent; then nothing is misdirected. `host`: `RequestHead::host`.
[[nodiscard]] bool may_be_misdirected(std::string_view sni, std::string_view host);

/// The other half: browsers use one connection for all names of its certificate (RFC 9113 §9.1.1), which is welcome;
/// where the host would have had another certificate or other clients, it is not.
[[nodiscard]] inline bool is_misdirected(const Identity& of_sni, const Identity& of_host)
{
    return of_sni != of_host;
}

} // namespace sallyport::site

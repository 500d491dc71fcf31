// Host and port of `Host` and of a request target.
#pragma once

#include <optional>
#include <string_view>

namespace sallyport::http {

struct Authority {
    std::string_view host; ///< an IPv6 address with its brackets
    std::string_view port; ///< digits; empty: the scheme's own
};

/// `uri-host [ ":" port ]` (RFC 9110 §7.2), or nothing if it is none or the host is empty.
///
/// Narrower than RFC 3986: a name is of letters, digits, '-', '.', '_' and '~'. Percent-encoded letters, commas and
/// their like name no host that anybody has, and two readers would not agree on which. User information is refused
/// (RFC 9110 §4.2.4).
[[nodiscard]] std::optional<Authority> parse_authority(std::string_view text);

/// Both name the same host and port; `default_port` stands for a missing one.
[[nodiscard]] bool same(const Authority& a, const Authority& b, std::string_view default_port);

} // namespace sallyport::http

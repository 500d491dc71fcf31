// The field names that somebody here asks for, as small numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace sallyport::http {

enum class FieldName : std::uint8_t {
    other,     ///< none of the list
    lookalike, ///< one of the list with underscores for hyphens: WSGI and CGI apps cannot tell the two apart
    accept,
    age,
    authorization,
    cache_control,
    client_cert,
    client_cert_chain,
    connection,
    content_encoding,
    content_length,
    content_range,
    content_type,
    cookie,
    date,
    expect,
    expires,
    forwarded,
    host,
    http2_settings,
    if_match,
    if_modified_since,
    if_none_match,
    if_range,
    if_unmodified_since,
    keep_alive,
    location,
    max_forwards,
    origin,
    pragma,
    proxy,
    proxy_authenticate,
    proxy_authorization,
    proxy_connection,
    range,
    referer,
    retry_after,
    sec_websocket_key,
    sec_websocket_version,
    server,
    set_cookie,
    strict_transport_security,
    te,
    trailer,
    transfer_encoding,
    upgrade,
    user_agent,
    vary,
    via,
    www_authenticate,
    x_forwarded_client_cert,
    x_forwarded_for,
    x_forwarded_host,
    x_forwarded_port,
    x_forwarded_prefix,
    x_forwarded_proto,
    x_forwarded_protocol,
    x_forwarded_scheme,
    x_forwarded_ssl,
    x_real_ip,
    x_request_id,
};

inline constexpr std::size_t kFieldNames = static_cast<std::size_t>(FieldName::x_request_id) + 1;

/// The id of a field name, whatever its case. One table look-up and one comparison.
[[nodiscard]] FieldName field_name(std::string_view name);

/// The name in lower case; empty for `other` and `lookalike`.
[[nodiscard]] std::string_view text(FieldName name);

/// A set of known names: one word.
class FieldSet {
public:
    constexpr FieldSet() = default;
    constexpr FieldSet(std::initializer_list<FieldName> names)
    {
        for (const FieldName name : names)
            insert(name);
    }
    constexpr void insert(FieldName name) { bits_ |= bit(name); }
    constexpr void erase(FieldName name) { bits_ &= ~bit(name); }
    [[nodiscard]] constexpr bool contains(FieldName name) const { return (bits_ & bit(name)) != 0; }
    [[nodiscard]] constexpr FieldSet operator|(FieldSet other) const
    {
        other.bits_ |= bits_;
        return other;
    }

private:
    static constexpr std::uint64_t bit(FieldName name) { return std::uint64_t{1} << static_cast<unsigned>(name); }

    std::uint64_t bits_{0};
};
static_assert(kFieldNames <= 64);

/// What belongs to one connection or to the message's framing: never copied, written anew where it is due
/// (RFC 9110 §7.6.1). `Proxy` would become a CGI app's HTTP_PROXY; look-alikes go with the fields that they imitate.
inline constexpr FieldSet kNeverCopied{
    FieldName::lookalike,
    FieldName::connection,
    FieldName::content_length,
    FieldName::expect,
    FieldName::host,
    FieldName::http2_settings,
    FieldName::keep_alive,
    FieldName::proxy,
    FieldName::proxy_authenticate,
    FieldName::proxy_authorization,
    FieldName::proxy_connection,
    FieldName::te,
    FieldName::trailer,
    FieldName::transfer_encoding,
    FieldName::upgrade,
};

/// What only a proxy before us may say of a client, in any of its spellings.
inline constexpr FieldSet kOfProxies{
    FieldName::forwarded,
    FieldName::x_forwarded_for,
    FieldName::x_forwarded_host,
    FieldName::x_forwarded_port,
    FieldName::x_forwarded_prefix,
    FieldName::x_forwarded_proto,
    FieldName::x_forwarded_protocol,
    FieldName::x_forwarded_scheme,
    FieldName::x_forwarded_ssl,
    FieldName::x_real_ip,
};

/// What `Connection` cannot remove, though it names it: it is meant for the app (RFC 9110 §7.6.1), and a client that
/// could have it removed would choose what the app sees of credentials, caching or of proxies before us.
inline constexpr FieldSet kEndToEnd = kOfProxies | FieldSet{
                                                       FieldName::accept,
                                                       FieldName::authorization,
                                                       FieldName::cache_control,
                                                       FieldName::client_cert,
                                                       FieldName::client_cert_chain,
                                                       FieldName::content_encoding,
                                                       FieldName::content_range,
                                                       FieldName::content_type,
                                                       FieldName::cookie,
                                                       FieldName::date,
                                                       FieldName::location,
                                                       FieldName::origin,
                                                       FieldName::range,
                                                       FieldName::set_cookie,
                                                       FieldName::strict_transport_security,
                                                       FieldName::vary,
                                                       FieldName::via,
                                                       FieldName::www_authenticate,
                                                       FieldName::x_forwarded_client_cert,
                                                       FieldName::x_request_id,
                                                   };

/// What a trailer cannot say, because it was to be known before the body (RFC 9110 §6.5.1): framing, routing, request
/// modifiers, authentication, response control, and what the content is.
inline constexpr FieldSet kNeverInTrailers = kNeverCopied | kEndToEnd |
                                             FieldSet{FieldName::age,
                                                      FieldName::expires,
                                                      FieldName::if_match,
                                                      FieldName::if_modified_since,
                                                      FieldName::if_none_match,
                                                      FieldName::if_range,
                                                      FieldName::if_unmodified_since,
                                                      FieldName::max_forwards,
                                                      FieldName::pragma,
                                                      FieldName::retry_after,
                                                      FieldName::sec_websocket_key,
                                                      FieldName::sec_websocket_version};

} // namespace sallyport::http

// A client's request head, read strictly (RFC 9110, RFC 9112): what is ambiguous is refused, never mended.
#pragma once

#include <expected>
#include <string_view>

#include "sallyport/http/head_scanner.hpp"
#include "sallyport/http/message.hpp"

namespace sallyport::http {

/// Borrows: every view points into the head that was parsed. Reused by a connection, or by a shard if nothing is needed
/// across a wait.
struct RequestHead {
    std::string_view method_text;
    Method method{Method::other};
    Version version{Version::http11};

    std::string_view target; ///< as it was sent
    /// What the app is asked for: path and query, or "*". Empty or beginning with '?' if an absolute-form target had no
    /// path: `write_request` puts "/" in front.
    std::string_view path;
    /// The value of `Host`, or an absolute-form target's. Empty only for an HTTP/1.0 client that sent none.
    std::string_view authority;
    std::string_view host; ///< the authority without its port; an IPv6 address in brackets

    Fields fields;
    ConnectionOptions connection;
    Framing framing;
    bool keep_alive{false};       ///< the client would send another request
    bool expects_continue{false}; ///< it waits for a 100 before it sends the body (RFC 9110 §10.1.1)
    bool accepts_trailers{false}; ///< `TE: trailers`
    /// The protocols of `Upgrade`, if `Connection` names it and all can be tunnelled. An upgrade to another HTTP or to
    /// TLS would leave us without a say in it (h2c smuggling): it is as if it had not been asked for.
    std::string_view upgrade;
};

/// Reads a head whose size `HeadScanner` has told. `into` is set anew, whatever it held; after a refusal it holds what
/// was read.
///
/// An absolute-form target is accepted, as RFC 9112 §3.2.2 demands, if its authority is that of `Host`, the scheme's
/// default port understood. Where they differ the RFC lets the target win; we refuse, as HAProxy does, for an app
/// that looks at `Host` would see another site than a rule that looked at the target.
[[nodiscard]] std::expected<void, Refused> parse_request(std::string_view head, const Limits& limits,
                                                         RequestHead& into);

} // namespace sallyport::http

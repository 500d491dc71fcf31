// Heads of HTTP/2: what HTTP/1.1 says in a start line stands in pseudo-header fields (RFC 9113 §8.3).
#pragma once

#include <expected>
#include <string_view>

#include "sallyport/http/request_head.hpp"
#include "sallyport/http/response_head.hpp"

namespace sallyport::http {

/// Empty: it was not there.
struct RequestPseudoFields {
    std::string_view method;
    std::string_view scheme;
    std::string_view authority;
    std::string_view path;
    std::string_view protocol; ///< RFC 8441
};

/// Before a head's fields are added: sets it anew, whatever it held.
void clear(RequestHead& head);
void clear(ResponseHead& head);

/// Completes a head whose fields have been added, by the rules of `parse_request`. `ended`: no body follows. Borrows
/// the texts of `said`, for the head. Refused are, besides: a scheme that is not http or https, `Host` that differs
/// from `:authority`, fields of a connection (RFC 9113 §8.2.2), and CONNECT but for "websocket", which becomes the
/// GET of the HTTP/1.1 upgrade, without the key.
[[nodiscard]] std::expected<void, Refused> complete_request(const RequestPseudoFields& said, bool ended,
                                                            const Limits& limits, RequestHead& into);

/// Likewise a response's, by the rules of `parse_response`.
[[nodiscard]] std::expected<void, Refused> complete_response(std::string_view status, Method asked, bool ended,
                                                             ResponseHead& into);

} // namespace sallyport::http

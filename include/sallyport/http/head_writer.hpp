// Heads written anew: what goes to the app, and to the client, never has the other side's framing in it.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "sallyport/http/name_set.hpp"
#include "sallyport/http/request_head.hpp"
#include "sallyport/http/response_head.hpp"

namespace sallyport::http {

/// A field to be written. Its name is a token, and its value is one (`is_field_value`): whoever makes it has checked.
struct Line {
    std::string_view name;
    std::string_view value;
};

/// What a route changes. To *set* a field is to remove it and to add it.
struct Edits {
    const NameSet* removed{nullptr}; ///< Borrows. Of the peer's fields; those added are not looked at.
    std::span<const Line> added{};
};

/// The peer's field goes on to the other side: it is not its connection's, and the route does not remove it.
[[nodiscard]] bool is_copied(const Field& field, const ConnectionOptions& connection, const Edits& edits);

struct RequestOptions {
    /// `Host`, if the client sent none (HTTP/1.0).
    std::string_view default_host{};
    /// False: tells the app to close after its response.
    bool keep_alive{true};
    Edits edits{};
};

/// Appends the head that the app gets: HTTP/1.1, target in origin-form, `Host`, framing as `head.framing` says, the
/// upgrade if there is one, `Expect` if `head.expects_continue`, `TE: trailers` if the client said so, then the
/// client's own fields without those of its connection and those that the route removes, then those that it adds.
void write_request(std::string& out, const RequestHead& head, const RequestOptions& options);

struct ResponseOptions {
    /// The body as it is sent, by `framing_for`.
    Framing framing{};
    /// The client's: HTTP/1.0 has to be told that the connection stays.
    Version client{Version::http11};
    bool keep_alive{true}; ///< ignored for a body until close
    Edits edits{};
};

/// How the body of a response is framed for a client: as the app does, but for what the client's version cannot read,
/// and chunked rather than until the connection closes.
[[nodiscard]] Framing framing_for(Version client, const ResponseHead& head);

/// Appends the head that the client gets, always as HTTP/1.1 (RFC 9110 §6.2); likewise for interim responses and 101.
void write_response(std::string& out, const ResponseHead& head, const ResponseOptions& options);

} // namespace sallyport::http

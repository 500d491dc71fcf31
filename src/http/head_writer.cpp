#include "sallyport/http/head_writer.hpp"

#include <array>
#include <charconv>

namespace sallyport::http {

namespace {

using Kind = Framing::Kind;

void append_line(std::string& out, std::string_view name, std::string_view value)
{
    out.append(name).append(": ").append(value).append("\r\n");
}

void append_content_length(std::string& out, std::uint64_t length)
{
    std::array<char, 20> digits;
    const char* const end = std::to_chars(digits.data(), digits.data() + digits.size(), length).ptr;
    append_line(out, "Content-Length", {digits.data(), end});
}

void append_framing(std::string& out, const Framing& framing)
{
    if (framing.kind == Kind::length) append_content_length(out, framing.length);
    if (framing.kind == Kind::chunked) append_line(out, "Transfer-Encoding", "chunked");
}

/// The announcement of trailers makes sense where there can be some (RFC 9110 §6.6.2).
void append_trailer(std::string& out, const Fields& fields, const Framing& framing)
{
    if (framing.kind != Kind::chunked || fields.find(FieldName::trailer) == nullptr) return;
    for (const Field& field : fields)
        if (field.id == FieldName::trailer) append_line(out, field.name, field.value);
}

bool is_copied(const Field& field, const ConnectionOptions& connection, const Edits& edits)
{
    return !kNeverCopied.contains(field.id) && !connection.removes(field) &&
           (edits.removed == nullptr || !edits.removed->contains(field));
}

void append_fields(std::string& out, const Fields& fields, const ConnectionOptions& connection, const Edits& edits)
{
    for (const Field& field : fields)
        if (is_copied(field, connection, edits)) append_line(out, field.name, field.value);
    for (const Line& line : edits.added)
        append_line(out, line.name, line.value);
}

/// `Connection` with all that it has to name (RFC 9110 §7.6.1).
void append_connection(std::string& out, std::initializer_list<std::string_view> options)
{
    std::string_view before = "Connection: ";
    for (const std::string_view option : options) {
        if (option.empty()) continue;
        out.append(before).append(option);
        before = ", ";
    }
    if (before == ", ") out.append("\r\n");
}

} // namespace

void write_request(std::string& out, const RequestHead& head, const RequestOptions& options)
{
    out.append(head.method_text).append(" ");
    if (head.path.empty() || head.path.starts_with('?')) out.append("/");
    out.append(head.path).append(" HTTP/1.1\r\n");
    append_line(out, "Host", head.authority.empty() ? options.default_host : head.authority);
    append_framing(out, head.framing);
    append_connection(out, {options.keep_alive ? "" : "close", head.upgrade.empty() ? "" : "upgrade",
                            head.accepts_trailers ? "TE" : ""});
    if (!head.upgrade.empty()) append_line(out, "Upgrade", head.upgrade);
    if (head.expects_continue) append_line(out, "Expect", "100-continue");
    if (head.accepts_trailers) append_line(out, "TE", "trailers");
    append_trailer(out, head.fields, head.framing);
    append_fields(out, head.fields, head.connection, options.edits);
    out.append("\r\n");
}

Framing framing_for(Version client, const ResponseHead& head)
{
    const bool by_length = head.framing.kind == Kind::none || head.framing.kind == Kind::length;
    if (by_length) return head.framing;
    return {client == Version::http11 ? Kind::chunked : Kind::until_close};
}

void write_response(std::string& out, const ResponseHead& head, const ResponseOptions& options)
{
    std::array<char, 5> code;
    const char* const end = std::to_chars(code.data(), code.data() + code.size(), head.status).ptr;
    out.append("HTTP/1.1 ").append(std::string_view{code.data(), end}).append(" ").append(head.reason).append("\r\n");
    append_framing(out, options.framing);
    if (head.length_without_body) append_content_length(out, *head.length_without_body);
    const bool last = !head.is_interim() && head.status != 101;
    const bool keep_alive = options.keep_alive && options.framing.kind != Kind::until_close;
    const bool close = last && !keep_alive;
    const bool stay = last && keep_alive && options.client == Version::http10;
    append_connection(out, {close ? "close" : "", stay ? "keep-alive" : "", head.upgrade.empty() ? "" : "upgrade"});
    if (!head.upgrade.empty()) append_line(out, "Upgrade", head.upgrade);
    append_trailer(out, head.fields, options.framing);
    append_fields(out, head.fields, head.connection, options.edits);
    out.append("\r\n");
}

} // namespace sallyport::http

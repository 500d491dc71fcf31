#include "sallyport/http/head_writer.hpp"

#include <array>
#include <charconv>

namespace sallyport::http {

namespace {

using Kind = Framing::Kind;

/// Where the next byte of a text goes. There is room for it.
class Place {
public:
    explicit Place(char* at) : at_{at} {}
    void put(std::string_view piece) { at_ += piece.copy(at_, piece.size()); }
    void put_line(std::string_view name, std::string_view value);
    [[nodiscard]] const char* at() const { return at_; }

private:
    char* at_;
};

/// Makes room once for all that `write` puts, which is `size` at most: an append for each piece of a line costs three
/// times as much.
template <typename Write>
void append_at_once(std::string& out, std::size_t size, Write write)
{
    const std::size_t before = out.size();
    out.resize_and_overwrite(before + size, [&](char* text, std::size_t /*size*/) {
        Place to{text + before};
        write(to);
        return static_cast<std::size_t>(to.at() - text);
    });
}

template <typename... Pieces>
void append(std::string& out, const Pieces&... pieces)
{
    append_at_once(out, (std::string_view{pieces}.size() + ...), [&](Place& to) { (to.put(pieces), ...); });
}

constexpr std::string_view kColon = ": ";
constexpr std::string_view kEnd = "\r\n";

void Place::put_line(std::string_view name, std::string_view value)
{
    put(name);
    put(kColon);
    put(value);
    put(kEnd);
}

std::size_t size_of_line(const auto& line)
{
    return line.name.size() + kColon.size() + line.value.size() + kEnd.size();
}

void append_line(std::string& out, std::string_view name, std::string_view value)
{
    append(out, name, kColon, value, kEnd);
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

/// By a name that is in no FieldSet.
bool removes_other(const Field& field, const ConnectionOptions& connection, const Edits& edits)
{
    return connection.removes(field) || (edits.removed != nullptr && edits.removed->contains(field));
}

/// With the empty line.
void append_fields(std::string& out, const Fields& fields, const ConnectionOptions& connection, const Edits& edits)
{
    FieldSet removed = kNeverCopied | connection.nominated;
    if (edits.removed != nullptr) removed = removed | edits.removed->known();
    std::size_t size_max = kEnd.size();
    for (const Field& field : fields)
        size_max += size_of_line(field);
    for (const Line& line : edits.added)
        size_max += size_of_line(line);
    append_at_once(out, size_max, [&](Place& to) {
        for (const Field& field : fields) {
            if (removed.contains(field.id)) continue;
            if (field.id == FieldName::other && removes_other(field, connection, edits)) continue;
            to.put_line(field.name, field.value);
        }
        for (const Line& line : edits.added)
            to.put_line(line.name, line.value);
        to.put(kEnd);
    });
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

bool is_copied(const Field& field, const ConnectionOptions& connection, const Edits& edits)
{
    return !kNeverCopied.contains(field.id) && !connection.removes(field) &&
           (edits.removed == nullptr || !edits.removed->contains(field));
}

void write_request(std::string& out, const RequestHead& head, const RequestOptions& options)
{
    const bool rootless = head.path.empty() || head.path.starts_with('?');
    append(out, head.method_text, rootless ? std::string_view{" /"} : " ", head.path,
           " HTTP/1.1\r\nHost: ", head.authority.empty() ? options.default_host : head.authority, kEnd);
    append_framing(out, head.framing);
    append_connection(out, {options.keep_alive ? "" : "close", head.upgrade.empty() ? "" : "upgrade",
                            head.accepts_trailers ? "TE" : ""});
    if (!head.upgrade.empty()) append_line(out, "Upgrade", head.upgrade);
    if (head.expects_continue) append_line(out, "Expect", "100-continue");
    if (head.accepts_trailers) append_line(out, "TE", "trailers");
    append_trailer(out, head.fields, head.framing);
    append_fields(out, head.fields, head.connection, options.edits);
}

Framing framing_for(Version client, const ResponseHead& head)
{
    const bool by_length = head.framing.kind == Kind::none || head.framing.kind == Kind::length;
    if (by_length) return head.framing;
    return {client == Version::http10 ? Kind::until_close : Kind::chunked};
}

void write_response(std::string& out, const ResponseHead& head, const ResponseOptions& options)
{
    std::array<char, 5> code;
    const char* const end = std::to_chars(code.data(), code.data() + code.size(), head.status).ptr;
    append(out, "HTTP/1.1 ", std::string_view{code.data(), end}, " ", head.reason, kEnd);
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
}

} // namespace sallyport::http

#include "body_length.hpp"

#include <charconv>

#include "characters.hpp"
#include "list.hpp"

namespace sallyport::http {

namespace {

/// Every reader's integer holds 2^63 - 1.
constexpr std::uint64_t kLengthMax = 0x7FFF'FFFF'FFFF'FFFF;

std::expected<Framing, Refusal> content_length(const Fields& fields)
{
    // RFC 9112 §6.3: equal values may be taken for one. Nobody sends them in good faith.
    if (fields.count(FieldName::content_length) > 1) return std::unexpected{Refusal::repeated_content_length};
    const std::string_view text = fields.find(FieldName::content_length)->value;
    if (text.find(',') != std::string_view::npos) return std::unexpected{Refusal::repeated_content_length};
    Framing framing{Framing::Kind::length};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), framing.length);
    if (error == std::errc::invalid_argument || end != text.data() + text.size())
        return std::unexpected{Refusal::malformed_content_length};
    if (error != std::errc{} || framing.length > kLengthMax) return std::unexpected{Refusal::content_length_overflow};
    return framing;
}

/// The codings in their order, of all lines.
struct Codings {
    std::size_t count{0};
    std::size_t chunked{0};
    bool chunked_last{false};
    bool malformed{false};

    void add(std::string_view coding)
    {
        ++count;
        chunked_last = equal_but_for_case(coding, "chunked");
        chunked += chunked_last ? 1 : 0;
        malformed = malformed || !consists_of(trimmed(coding.substr(0, coding.find(';'))), kTokenByte);
    }
};

Codings codings_of(const Fields& fields)
{
    Codings codings;
    for (const Field& field : fields) {
        if (field.id != FieldName::transfer_encoding) continue;
        // Not for_each_element: an empty element is a mistake here.
        std::string_view rest = field.value;
        for (;;) {
            const std::size_t comma = rest.find(',');
            codings.add(trimmed(rest.substr(0, comma)));
            if (comma == std::string_view::npos) break;
            rest.remove_prefix(comma + 1);
        }
    }
    return codings;
}

/// RFC 9112 §6.1: no chunked twice; §6.3: it is the last, or the length is anybody's guess; §7: an unknown one is a
/// 501.
std::expected<Framing, Refusal> transfer_encoding(const Fields& fields)
{
    const Codings codings = codings_of(fields);
    if (codings.malformed) return std::unexpected{Refusal::malformed_transfer_encoding};
    if (codings.chunked > 1) return std::unexpected{Refusal::chunked_repeated};
    if (!codings.chunked_last) return std::unexpected{Refusal::chunked_not_last};
    if (codings.count > 1) return std::unexpected{Refusal::unknown_transfer_coding};
    return Framing{Framing::Kind::chunked};
}

} // namespace

std::expected<Framing, Refusal> body_length(const Fields& fields, Version version)
{
    const bool encoded = fields.find(FieldName::transfer_encoding) != nullptr;
    const bool counted = fields.find(FieldName::content_length) != nullptr;
    if (!encoded) return counted ? content_length(fields) : Framing{};
    if (counted) return std::unexpected{Refusal::length_with_transfer_encoding};
    if (version == Version::http10) return std::unexpected{Refusal::transfer_encoding_in_http10};
    return transfer_encoding(fields);
}

} // namespace sallyport::http

#include "sallyport/http/refusal.hpp"

#include <array>

namespace sallyport::http {

namespace {

using enum Refusal;

/// In the order of the enumeration.
constexpr std::array kFacts{
    RefusalFacts{not_http, 400, "not http", "9112 2.1"},
    RefusalFacts{malformed_request_line, 400, "malformed request line", "9112 3"},
    RefusalFacts{invalid_method, 400, "invalid method", "9112 3.1"},
    RefusalFacts{method_too_long, 501, "method too long", "9112 3"},
    RefusalFacts{connect_unsupported, 501, "connect is not supported", "9110 9.3.6"},
    RefusalFacts{invalid_target, 400, "invalid request target", "9112 3.2"},
    RefusalFacts{target_too_long, 414, "request target too long", "9112 3"},
    RefusalFacts{malformed_version, 400, "malformed version", "9112 2.3"},
    RefusalFacts{unsupported_version, 505, "unsupported version", "9110 15.6.6"},
    RefusalFacts{malformed_status_line, 400, "malformed status line", "9112 4"},
    RefusalFacts{bare_lf, 400, "bare line feed", "9112 2.2"},
    RefusalFacts{bare_cr, 400, "bare carriage return", "9112 2.2"},
    RefusalFacts{control_character, 400, "control character", "9110 5.5"},
    RefusalFacts{obs_fold, 400, "folded line", "9112 5.2"},
    RefusalFacts{missing_colon, 400, "field without a colon", "9112 5"},
    RefusalFacts{space_before_colon, 400, "space before the colon", "9112 5.1"},
    RefusalFacts{empty_name, 400, "empty field name", "9112 5"},
    RefusalFacts{invalid_name, 400, "invalid field name", "9110 5.1"},
    RefusalFacts{head_too_large, 431, "head too large", "6585 5"},
    RefusalFacts{too_many_fields, 431, "too many fields", "6585 5"},
    RefusalFacts{length_with_transfer_encoding, 400, "content-length with transfer-encoding", "9112 6.3"},
    RefusalFacts{repeated_content_length, 400, "repeated content-length", "9112 6.3"},
    RefusalFacts{malformed_content_length, 400, "malformed content-length", "9110 8.6"},
    RefusalFacts{content_length_overflow, 400, "content-length out of range", "9110 8.6"},
    RefusalFacts{transfer_encoding_in_http10, 400, "transfer-encoding in http/1.0", "9112 6.1"},
    RefusalFacts{malformed_transfer_encoding, 400, "malformed transfer-encoding", "9112 6.1"},
    RefusalFacts{chunked_not_last, 400, "chunked is not the last coding", "9112 6.3"},
    RefusalFacts{chunked_repeated, 400, "chunked twice", "9112 6.1"},
    RefusalFacts{unknown_transfer_coding, 501, "unknown transfer coding", "9112 6.1"},
    RefusalFacts{missing_host, 400, "missing host", "9112 3.2"},
    RefusalFacts{repeated_host, 400, "repeated host", "9112 3.2"},
    RefusalFacts{malformed_host, 400, "malformed host", "9110 7.2"},
    RefusalFacts{host_mismatch, 400, "host differs from the target", "9112 3.2.2"},
    RefusalFacts{unknown_expectation, 417, "unknown expectation", "9110 10.1.1"},
    RefusalFacts{too_many_connection_options, 400, "too many connection options", "9110 7.6.1"},
    RefusalFacts{malformed_chunk_size, 400, "malformed chunk size", "9112 7.1"},
    RefusalFacts{chunk_size_overflow, 400, "chunk size out of range", "9112 7.1"},
    RefusalFacts{malformed_chunk_extension, 400, "malformed chunk extension", "9112 7.1.1"},
    RefusalFacts{chunk_extensions_too_large, 400, "chunk extensions too large", "9112 7.1.1"},
    RefusalFacts{malformed_chunk_end, 400, "chunk longer than its size", "9112 7.1"},
    RefusalFacts{trailers_too_large, 431, "trailers too large", "6585 5"},
    RefusalFacts{unknown_scheme, 400, "unknown scheme", "9113 8.3.1"},
    RefusalFacts{field_of_a_connection, 400, "field of a connection", "9113 8.2.2"},
};

consteval bool is_in_order()
{
    for (std::size_t i = 0; i < kFacts.size(); ++i)
        if (static_cast<std::size_t>(kFacts[i].reason) != i) return false;
    return kFacts.back().reason == field_of_a_connection;
}
static_assert(is_in_order());

} // namespace

const RefusalFacts& facts(Refusal reason)
{
    return kFacts[static_cast<std::size_t>(reason)];
}

} // namespace sallyport::http

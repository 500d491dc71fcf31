// Why a message is refused: one reason for each rule, with its section and the status that the client is told.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sallyport::http {

/// The names (`facts`) appear in the log and in tests/http: append, never rename. In an app's message each of them is a
/// 502.
enum class Refusal : std::uint8_t {
    // the start line
    not_http,
    malformed_request_line,
    invalid_method,
    method_too_long,
    connect_unsupported,
    invalid_target,
    target_too_long,
    malformed_version,
    unsupported_version,
    malformed_status_line,
    // lines
    bare_lf,
    bare_cr,
    control_character,
    obs_fold,
    missing_colon,
    space_before_colon,
    empty_name,
    invalid_name,
    head_too_large,
    too_many_fields,
    // framing
    length_with_transfer_encoding,
    repeated_content_length,
    malformed_content_length,
    content_length_overflow,
    transfer_encoding_in_http10,
    malformed_transfer_encoding,
    chunked_not_last,
    chunked_repeated,
    unknown_transfer_coding,
    // the host
    missing_host,
    repeated_host,
    malformed_host,
    host_mismatch,
    // options
    unknown_expectation,
    too_many_connection_options,
    // the chunked body
    malformed_chunk_size,
    chunk_size_overflow,
    malformed_chunk_extension,
    chunk_extensions_too_large,
    malformed_chunk_end,
    trailers_too_large,
    // HTTP/2
    unknown_scheme,
    field_of_a_connection,
};

struct RefusalFacts {
    Refusal reason;
    std::uint16_t status;     ///< for the client whose request it is
    std::string_view name;    ///< static text, a few words
    std::string_view section; ///< "9112 3.2": the RFC and its section
};

[[nodiscard]] const RefusalFacts& facts(Refusal reason);

/// A refusal with what a 431 tells of the largest field: name and size, never its value.
struct Refused {
    Refusal reason;
    std::string_view field{};  ///< Borrows: the head. Empty if its name is none.
    std::size_t field_size{0}; ///< of its line, in bytes, as far as it has come
};

} // namespace sallyport::http

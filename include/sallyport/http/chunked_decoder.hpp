// The chunked transfer coding, read strictly (RFC 9112 §7.1), over arrivals cut anywhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "sallyport/http/fields.hpp"
#include "sallyport/http/head_scanner.hpp"

namespace sallyport::http {

/// One body. Chunk extensions are passed over (§7.1.1 lets us), and bounded: a body may not hide megabytes of them in
/// front of single bytes. Allocates for trailers only.
class ChunkedDecoder {
public:
    struct Step {
        std::size_t taken;     ///< bytes of the input that are done with
        std::string_view body; ///< a part of them: the next bytes of the body, or none
        bool end;              ///< the body and its trailers have ended; what follows in the input is the next message
    };

    explicit ChunkedDecoder(const Limits& limits) : limits_{limits} {}

    /// Takes from the front of `input` up to the end of the next run of body bytes, or all of it. Call it again with
    /// the rest until that is empty, or the end has come; after a refusal no more.
    [[nodiscard]] std::expected<Step, Refusal> next(std::string_view input);

    [[nodiscard]] bool ended() const { return state_ == State::ended; }

    /// After the end: without what a trailer cannot say (kNeverInTrailers). Borrows: the decoder.
    [[nodiscard]] const Fields& trailers() const { return trailers_; }

    /// For the connection's next body.
    void restart();

private:
    enum class State : std::uint8_t {
        size_begin,
        size,
        gap, ///< blanks between the size and an extension's ';' (BWS)
        extension,
        size_lf,
        data,
        data_cr,
        data_lf,
        trailers,
        ended
    };
    using Refused = std::expected<void, Refusal>;

    Refused take(char c);
    Refused take_in_size_line(char c);
    Refused take_digit(char c);
    Refused take_after_size(char c);
    Refused end_size_line(char c);
    Refused take_in_trailers(char c);

    Limits limits_;
    State state_{State::size_begin};
    std::uint8_t digits_{0};
    std::uint32_t line_bytes_{0}; ///< of the size line that is being read
    std::uint64_t left_{0};       ///< of the chunk
    std::uint64_t excess_{0};     ///< size lines' bytes beyond what honest chunks need
    EmptyLineSearch search_;
    std::string trailer_text_;
    Fields trailers_;
};

} // namespace sallyport::http

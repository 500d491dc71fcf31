#include "sallyport/http/chunked_decoder.hpp"

#include <algorithm>

#include "characters.hpp"
#include "field_lines.hpp"

namespace sallyport::http {

namespace {

/// 2^60 - 1 at most: no reader's integer overflows.
constexpr std::uint8_t kDigitsMax = 15;
constexpr std::uint32_t kSizeLineMax = 4096;
/// A chunk may cost 16 bytes, and twice its data; what exceeds that adds up over the body.
constexpr std::uint64_t kChunkCost = 16;
constexpr std::uint64_t kExcessMax = 16 * 1024;

/// The digit's value, or 16.
constexpr unsigned hex_value(char c)
{
    if (is_digit(c)) return static_cast<unsigned>(c - '0');
    const char letter = lower(c);
    return letter >= 'a' && letter <= 'f' ? static_cast<unsigned>(letter - 'a' + 10) : 16;
}

std::expected<void, Refusal> refuse(Refusal reason)
{
    return std::unexpected{reason};
}

/// Why a line that should end here does not.
Refusal broken_line(char c, Refusal otherwise)
{
    return c == '\n' ? Refusal::bare_lf : otherwise;
}

} // namespace

std::expected<ChunkedDecoder::Step, Refusal> ChunkedDecoder::next(std::string_view input)
{
    std::size_t at = 0;
    while (at < input.size() && state_ != State::ended) {
        if (state_ == State::data) {
            const std::string_view body = input.substr(at, std::min<std::uint64_t>(left_, input.size() - at));
            left_ -= body.size();
            if (left_ == 0) state_ = State::data_cr;
            return Step{at + body.size(), body, false};
        }
        if (const auto taken = take(input[at++]); !taken) return std::unexpected{taken.error()};
    }
    return Step{at, {}, state_ == State::ended};
}

void ChunkedDecoder::restart()
{
    *this = ChunkedDecoder{limits_};
}

ChunkedDecoder::Refused ChunkedDecoder::take(char c)
{
    switch (state_) {
    case State::data_cr:
        if (c != '\r') return refuse(broken_line(c, Refusal::malformed_chunk_end));
        state_ = State::data_lf;
        return {};
    case State::data_lf:
        if (c != '\n') return refuse(Refusal::bare_cr);
        state_ = State::size_begin;
        return {};
    case State::trailers:
        return take_in_trailers(c);
    default:
        return take_in_size_line(c);
    }
}

ChunkedDecoder::Refused ChunkedDecoder::take_in_size_line(char c)
{
    if (++line_bytes_ > kSizeLineMax) return refuse(Refusal::chunk_extensions_too_large);
    if (state_ == State::size_lf) return end_size_line(c);
    const bool in_size = state_ == State::size_begin || state_ == State::size;
    return in_size && hex_value(c) < 16 ? take_digit(c) : take_after_size(c);
}

ChunkedDecoder::Refused ChunkedDecoder::take_digit(char c)
{
    if (++digits_ > kDigitsMax) return refuse(Refusal::chunk_size_overflow);
    left_ = left_ << 4U | hex_value(c);
    state_ = State::size;
    return {};
}

ChunkedDecoder::Refused ChunkedDecoder::take_after_size(char c)
{
    if (c == '\n') return refuse(Refusal::bare_lf);
    if (state_ == State::size_begin) return refuse(Refusal::malformed_chunk_size);
    // Blanks are for an extension to follow (§7.1.1, BWS); "5 \r\n" is no size.
    if (c == '\r' && state_ != State::gap) {
        state_ = State::size_lf;
        return {};
    }
    if (state_ == State::extension)
        return is_in(c, kValueByte) ? Refused{} : refuse(Refusal::malformed_chunk_extension);
    if (!is_blank(c) && c != ';') return refuse(Refusal::malformed_chunk_size);
    state_ = c == ';' ? State::extension : State::gap;
    return {};
}

ChunkedDecoder::Refused ChunkedDecoder::end_size_line(char c)
{
    if (c != '\n') return refuse(Refusal::bare_cr);
    excess_ += line_bytes_;
    excess_ -= std::min(excess_, kChunkCost + 2 * left_);
    if (excess_ > kExcessMax) return refuse(Refusal::chunk_extensions_too_large);
    state_ = left_ == 0 ? State::trailers : State::data;
    line_bytes_ = 0;
    digits_ = 0;
    return {};
}

ChunkedDecoder::Refused ChunkedDecoder::take_in_trailers(char c)
{
    trailer_text_.push_back(c);
    if (c != '\n' && trailer_text_.size() < limits_.trailer_bytes) return {};
    const auto size = search_.find(trailer_text_, limits_.trailer_bytes);
    if (!size) return refuse(size.error() == Refusal::head_too_large ? Refusal::trailers_too_large : size.error());
    if (*size == 0) return {};
    if (const auto refused = read_fields(trailer_text_, limits_.fields, trailers_))
        return refuse(refused->reason == Refusal::too_many_fields ? Refusal::trailers_too_large : refused->reason);
    trailers_.remove(kNeverInTrailers);
    state_ = State::ended;
    return {};
}

} // namespace sallyport::http

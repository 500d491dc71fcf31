#include "sallyport/http/body_reader.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string_view>

namespace sallyport::http {

using Kind = Framing::Kind;

void BodyReader::begin(const Framing& framing)
{
    if (kind_ == Kind::chunked) chunks_.restart();
    kind_ = framing.kind;
    left_ = framing.length;
    ended_ = kind_ == Kind::none || (kind_ == Kind::length && left_ == 0);
}

std::optional<std::uint64_t> BodyReader::left() const
{
    if (ended_) return 0;
    if (kind_ == Kind::chunked) return std::nullopt;
    return kind_ == Kind::length ? left_ : std::numeric_limits<std::uint64_t>::max();
}

std::expected<BodyReader::Taken, Refusal> BodyReader::take(std::span<std::byte> input)
{
    if (ended_) return Taken{0, {}};
    switch (kind_) {
    case Kind::chunked:
        return take_chunks(input);
    case Kind::length: {
        const std::size_t size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size()));
        left_ -= size;
        ended_ = left_ == 0;
        return Taken{size, input.first(size)};
    }
    default:
        return Taken{input.size(), input};
    }
}

// The runs are moved together, so that many small chunks become one piece and one send.
std::expected<BodyReader::Taken, Refusal> BodyReader::take_chunks(std::span<std::byte> input)
{
    std::size_t taken = 0;
    std::size_t kept = 0;
    while (taken < input.size() && !ended_) {
        const auto rest = input.subspan(taken);
        const auto step = chunks_.next({reinterpret_cast<const char*>(rest.data()), rest.size()});
        if (!step) return std::unexpected{step.error()};
        if (!step->body.empty()) std::memmove(input.data() + kept, step->body.data(), step->body.size());
        kept += step->body.size();
        taken += step->taken;
        ended_ = step->end;
    }
    return Taken{taken, input.first(kept)};
}

} // namespace sallyport::http

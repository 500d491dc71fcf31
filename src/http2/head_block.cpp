#include "head_block.hpp"

#include <array>

#include "sallyport/http/name_set.hpp"

namespace sallyport::http2 {

namespace {

/// A block may be decoded to the end, so that the connection stays usable, up to so many times what is allowed.
constexpr std::size_t kPatience = 16;
/// ": " and CRLF: a head costs here what it costs in HTTP/1.1.
constexpr std::size_t kLineCost = 4;
/// A longer name is not shown.
constexpr std::size_t kShownMax = 64;

constexpr std::array<std::string_view, HeadBlock::kPseudoCount> kPseudoNames{":method", ":scheme",   ":authority",
                                                                             ":path",   ":protocol", ":status"};

} // namespace

void HeadBlock::begin(const http::Limits& limits)
{
    limits_ = limits;
    text_ = nullptr;
    pieces_.clear();
    for (std::string_view& pseudo : pseudo_texts_)
        pseudo = {};
    largest_size_ = bytes_ = wire_bytes_ = cookies_ = fields_ = 0;
    bytes_max_ = limits.head_bytes;
    refused_.reset();
}

void HeadBlock::keep_in(std::string& text, std::size_t bytes_max)
{
    text_ = &text;
    text_->clear();
    bytes_max_ = bytes_max;
}

bool HeadBlock::add(std::string_view name, std::string_view value)
{
    const std::size_t size = name.size() + value.size() + kLineCost;
    bytes_ += size;
    if (bytes_ > kPatience * bytes_max_) return false;
    if (text_ == nullptr) return true;
    note_size(name, size);
    if (name == ":path" && value.size() > limits_.target_bytes)
        refused_ = refused_.value_or(http::Refusal::target_too_long);
    else if (bytes_ > bytes_max_)
        refused_ = refused_.value_or(http::Refusal::head_too_large);
    else if (!name.starts_with(':') && fields_ == limits_.fields)
        refused_ = refused_.value_or(http::Refusal::too_many_fields);
    else
        keep(name, value);
    return true;
}

void HeadBlock::add_invalid(std::string_view name)
{
    refused_ = refused_.value_or(http::is_token(name) ? http::Refusal::control_character : http::Refusal::invalid_name);
}

bool HeadBlock::count_wire_bytes(std::size_t size)
{
    wire_bytes_ += size;
    return wire_bytes_ <= kPatience * bytes_max_;
}

void HeadBlock::keep(std::string_view name, std::string_view value)
{
    pieces_.push_back({static_cast<std::uint32_t>(text_->size()), static_cast<std::uint32_t>(name.size()),
                       static_cast<std::uint32_t>(value.size())});
    text_->append(name).append(value);
    if (name == "cookie") ++cookies_;
    if (!name.starts_with(':') && (name != "cookie" || cookies_ == 1)) ++fields_;
}

void HeadBlock::note_size(std::string_view name, std::size_t size)
{
    if (size <= largest_size_) return;
    largest_size_ = size;
    largest_name_.assign(name.size() <= kShownMax ? name : "");
}

/// The first crumb's field becomes all of them; the others are left out.
void HeadBlock::join_cookies()
{
    std::string joined;
    std::size_t kept = 0;
    std::size_t first = pieces_.size();
    for (const Piece& piece : pieces_) {
        if (name_of(piece) == "cookie") {
            if (!joined.empty()) joined += "; ";
            joined += value_of(piece);
            if (first != pieces_.size()) continue;
            first = kept;
        }
        pieces_[kept++] = piece;
    }
    pieces_.resize(kept);
    pieces_[first] = {static_cast<std::uint32_t>(text_->size()), 6, static_cast<std::uint32_t>(joined.size())};
    text_->append("cookie").append(joined);
}

void HeadBlock::end(http::Fields& into)
{
    if (text_ == nullptr) return;
    if (cookies_ > 1) join_cookies();
    // Of what was not kept, the name is: no text may grow once there are views of it.
    const std::size_t largest = text_->size();
    if (refused_) text_->append(largest_name_);
    largest_shown_ = std::string_view{*text_}.substr(largest);
    for (const Piece& piece : pieces_) {
        const std::string_view name = name_of(piece);
        if (!name.starts_with(':')) {
            into.add(name, value_of(piece));
            continue;
        }
        for (std::size_t i = 0; i < kPseudoCount; ++i)
            if (name == kPseudoNames[i]) pseudo_texts_[i] = value_of(piece);
    }
}

std::optional<http::Refused> HeadBlock::refused() const
{
    if (!refused_) return std::nullopt;
    return http::Refused{*refused_, largest_shown_, largest_size_};
}

} // namespace sallyport::http2

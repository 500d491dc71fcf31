#include "sallyport/http/head_scanner.hpp"

#include <algorithm>
#include <cstring>

#include "characters.hpp"
#include "largest_field.hpp"

namespace sallyport::http {

namespace {

/// Blanks, colons and their like are the parser's to refuse, by their own reason.
bool can_begin_a_head(char c)
{
    return is_in(c, kValueByte) || c == '\r' || c == '\n';
}

Refused too_large(std::string_view text, const Limits& limits)
{
    const std::string_view head = text.substr(0, limits.head_bytes);
    const std::size_t first_line = head.find('\n', 2);
    if (first_line == std::string_view::npos)
        return {text.starts_with("HTTP/") ? Refusal::head_too_large : Refusal::target_too_long};
    return with_largest_field(Refusal::head_too_large, head.substr(first_line + 1));
}

} // namespace

std::expected<std::size_t, Refusal> EmptyLineSearch::find(std::string_view text, std::size_t size_max)
{
    const std::size_t end = std::min(text.size(), size_max);
    while (next_ < end) {
        const void* found = std::memchr(text.data() + next_, '\n', end - next_);
        if (found == nullptr) {
            next_ = end;
            break;
        }
        const auto at = static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
        if (at == line_ || text[at - 1] != '\r') return std::unexpected{Refusal::bare_lf};
        next_ = at + 1;
        if (at == line_ + 1) return next_;
        line_ = next_;
    }
    if (text.size() >= size_max) return std::unexpected{Refusal::head_too_large};
    return 0;
}

std::expected<std::size_t, Refused> HeadScanner::look(std::string_view text)
{
    if (!begun_) {
        if (text.empty() || text == "\r") return 0;
        if (!can_begin_a_head(text.front()) || static_cast<unsigned char>(text.front()) >= 0x80)
            return std::unexpected{Refused{Refusal::not_http}};
        if (text.starts_with("\r\n")) search_ = EmptyLineSearch{2};
        begun_ = true;
    }
    const auto size = search_.find(text, limits_.head_bytes);
    if (size) return *size;
    if (size.error() == Refusal::head_too_large) return std::unexpected{too_large(text, limits_)};
    return std::unexpected{Refused{size.error()}};
}

} // namespace sallyport::http

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
    const char* const end = text.data() + std::min(text.size(), size_max);
    const char* line = text.data() + line_;
    for (const char* at = text.data() + next_; at < end; line = at) {
        const void* const found = std::memchr(at, '\n', static_cast<std::size_t>(end - at));
        if (found == nullptr) break;
        at = static_cast<const char*>(found);
        if (at == line || at[-1] != '\r') return std::unexpected{Refusal::bare_lf};
        ++at;
        if (at == line + 2) return static_cast<std::size_t>(at - text.data());
    }
    line_ = static_cast<std::size_t>(line - text.data());
    next_ = static_cast<std::size_t>(end - text.data());
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

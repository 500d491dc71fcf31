// Paths as routes see them: as they were sent, and as the least strict app might take them.
//
// A route's path has no escape, parameter, backslash, double slash or dot segment in it. So if a path is below it as
// sent, it is below it in every other reading; and if it is below it in any reading, it is so in the loosest. Where the
// strictest and the loosest reading choose the same route, all others do.
#include <string>
#include <string_view>

#include "lower.hpp"
#include "sallyport/site/route.hpp"

namespace sallyport::site {

namespace {

constexpr int kNoDigit = -1;

constexpr int digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    const char letter = lower(c);
    return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : kNoDigit;
}

bool ends_in_escape(std::string_view text)
{
    if (text.size() < 3) return false;
    const std::string_view end = text.substr(text.size() - 3);
    return end[0] == '%' && digit(end[1]) != kNoDigit && digit(end[2]) != kNoDigit;
}

/// What a byte makes an escape of, together with those before it, is decoded in its turn.
void append_decoded(std::string& out, char c)
{
    out.push_back(c);
    while (ends_in_escape(out)) {
        const char decoded = static_cast<char>(digit(out[out.size() - 2]) * 16 + digit(out.back()));
        out.resize(out.size() - 3);
        out.push_back(decoded);
    }
}

bool is_dot_segment(std::string_view segment)
{
    return segment == "." || segment == "..";
}

/// What some readers take for the end of a segment's name.
constexpr bool ends_name(char c)
{
    return c == ';' || c == '?' || c == '#';
}

} // namespace

bool is_below(std::string_view path, std::string_view prefix)
{
    if (path.size() < prefix.size() || !is_in_lower_case(path.substr(0, prefix.size()), prefix)) return false;
    if (path.size() == prefix.size() || prefix.ends_with('/')) return true;
    const char next = path[prefix.size()];
    return next == '/' || ends_name(next);
}

bool read_loosely(std::string_view path, std::string& into)
{
    into.clear();
    for (const char c : path.substr(0, path.find('?')))
        append_decoded(into, c);

    // In place: what is kept never overtakes what is read.
    std::size_t kept = 0;
    std::size_t segment = 0;
    bool cut = false;
    const auto name = [&] { return std::string_view{into}.substr(segment, kept - segment); };
    for (std::size_t i = 0; i < into.size(); ++i) {
        const char c = into[i] == '\\' ? '/' : lower(into[i]);
        if (c == '\0' || (c == '/' && is_dot_segment(name()))) return false;
        cut = c != '/' && (cut || ends_name(c));
        const bool is_repeated = c == '/' && kept > 0 && into[kept - 1] == '/';
        if (cut || is_repeated) continue;
        into[kept++] = c;
        if (c == '/') segment = kept;
    }
    if (is_dot_segment(name())) return false;
    into.resize(kept);
    return true;
}

} // namespace sallyport::site

#include "mistakes.hpp"

#include <algorithm>
#include <numeric>
#include <tuple>

namespace sallyport::config {

namespace {

constexpr std::size_t kQuotedMost = 80;
constexpr std::size_t kComparedMost = 64;

// Levenshtein's distance, one row at a time.
std::size_t edit_distance(std::string_view a, std::string_view b)
{
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t diagonal = std::exchange(row[0], i + 1);
        for (std::size_t j = 0; j < b.size(); ++j) {
            const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
        }
    }
    return row.back();
}

bool is_control(char c)
{
    return static_cast<unsigned char>(c) < ' ' || c == 0x7f;
}

} // namespace

void Mistakes::report(const Place& at, std::string text)
{
    // yaml-cpp repeats what it could not read.
    std::ranges::replace_if(text, is_control, '?');
    found_.push_back({at.source, at.line, at.column, std::move(text)});
}

std::vector<Diagnostic> Mistakes::take()
{
    std::ranges::stable_sort(found_, {}, [](const Diagnostic& d) { return std::tie(d.source, d.line, d.column); });
    return std::exchange(found_, {});
}

bool holds_pem(std::string_view text)
{
    constexpr std::string_view kInBase64 = "LS0tLS1CRUdJTi";
    return text.find("-----BEGIN") != std::string_view::npos || text.find(kInBase64) != std::string_view::npos;
}

std::string quote(std::string_view text)
{
    if (holds_pem(text)) return "(a PEM text)";
    const bool is_text = is_utf8(text);
    const bool is_cut = text.size() > kQuotedMost;
    std::size_t length = std::min(text.size(), kQuotedMost);
    while (is_cut && is_text && (text[length] & 0xc0) == 0x80)
        --length; // not within a character
    std::string shown{text.substr(0, length)};
    std::ranges::replace_if(shown, [&](char c) { return is_control(c) || (!is_text && (c & 0x80) != 0); }, '?');
    return "'" + shown + (is_cut ? "…'" : "'");
}

std::string_view nearest(std::string_view written, const std::vector<std::string_view>& known)
{
    std::string_view best;
    // A third of the letters may be wrong; more is another word.
    std::size_t best_distance = std::max<std::size_t>(1, written.size() / 3) + 1;
    if (written.empty() || written.size() > kComparedMost) return best;
    for (const std::string_view name : known) {
        const std::size_t distance = edit_distance(written, name);
        if (distance >= best_distance) continue;
        best_distance = distance;
        best = name;
    }
    return best;
}

std::string suggestion(std::string_view written, const std::vector<std::string_view>& known)
{
    const std::string_view name = nearest(written, known);
    return name.empty() ? std::string{} : ": did you mean '" + std::string{name} + "'?";
}

std::string join(const std::vector<std::string_view>& names)
{
    std::string joined;
    for (const std::string_view name : names) {
        if (!joined.empty()) joined += ", ";
        joined += name;
    }
    return joined;
}

std::string Diagnostic::print() const
{
    std::string place = source;
    if (line > 0) place += ":" + std::to_string(line) + ":" + std::to_string(column);
    return place + ": " + text;
}

} // namespace sallyport::config

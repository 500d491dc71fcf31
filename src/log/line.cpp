#include "line.hpp"

#include <algorithm>
#include <array>
#include <concepts>
#include <ctime>
#include <iterator>
#include <type_traits>
#include <variant>

#include <fmt/format.h>

#include "chain.hpp"
#include "sallyport/log/text.hpp"

namespace sallyport::log {

namespace {

constexpr std::size_t kEventMax = 256;
/// Room for the mark of a cut line and its end, in either format.
constexpr std::size_t kTailMax = 16;

std::string_view name(Level level)
{
    switch (level) {
    case Level::debug:
        return "debug";
    case Level::info:
        return "info";
    case Level::warn:
        return "warn";
    case Level::error:
    case Level::none:
        return "error";
    }
    return "error";
}

/// "2026-11-21T23:04:12" (RFC 3339, UTC). Most lines of a thread are of the second of the line before.
std::string_view text_of(std::chrono::sys_seconds second)
{
    struct Cached {
        std::chrono::sys_seconds second{std::chrono::sys_seconds::min()};
        std::array<char, 64> text{};
        std::size_t size{0};
    };
    thread_local Cached cached;
    if (cached.second != second) {
        const std::time_t since_epoch = std::chrono::system_clock::to_time_t(second);
        std::tm utc{};
        ::gmtime_r(&since_epoch, &utc);
        cached.size = std::strftime(cached.text.data(), cached.text.size(), "%Y-%m-%dT%H:%M:%S", &utc);
        cached.second = second;
    }
    return {cached.text.data(), cached.size};
}

/// "2026-11-21T23:04:12.345Z"
void append_time(std::string& out, Time time)
{
    using namespace std::chrono;
    const sys_seconds whole = floor<seconds>(time);
    const auto thousandths = static_cast<unsigned>(floor<milliseconds>(time - whole).count());
    const auto digit = [](unsigned value) { return static_cast<char>('0' + value % 10); };
    const std::array<char, 5> rest{'.', digit(thousandths / 100), digit(thousandths / 10), digit(thousandths), 'Z'};
    out += text_of(whole);
    out.append(rest.data(), rest.size());
}

void append_quoted(std::string& out, std::string_view text, std::size_t limit)
{
    out += '"';
    append_escaped(out, text, limit);
    out += '"';
}

void append_json_value(std::string& out, std::string_view text)
{
    append_quoted(out, text, kValueMax);
}

void append_plain_value(std::string& out, std::string_view text)
{
    if (is_bare_word(text) && text.size() <= kValueMax)
        out += text;
    else
        append_quoted(out, text, kValueMax);
}

void append_value(std::string& out, bool value)
{
    out += value ? "true" : "false";
}

void append_value(std::string& out, std::integral auto number)
{
    const fmt::format_int digits{number};
    out.append(digits.data(), digits.size());
}

void append_json_field(std::string& out, std::string_view field_name, const auto& append_its_value)
{
    out += ',';
    append_quoted(out, field_name, kEventMax);
    out += ':';
    append_its_value();
}

void append_field(std::string& out, const Field& field, Format format)
{
    const auto append_its_value = [&] {
        std::visit(
            [&](const auto& value) {
                if constexpr (!std::is_same_v<std::decay_t<decltype(value)>, std::string_view>)
                    append_value(out, value);
                else if (format == Format::json)
                    append_json_value(out, value);
                else
                    append_plain_value(out, value);
            },
            field.value);
    };
    if (format == Format::json) return append_json_field(out, field.name, append_its_value);
    out += ' ';
    append_escaped(out, field.name, kEventMax);
    out += '=';
    append_its_value();
}

void append_json_head(std::string& out, const Event& event, const Options& options)
{
    out += R"({"time":")";
    append_time(out, event.time);
    out += R"(","level":")";
    out += name(event.level);
    out += '"';
    if (!options.process.empty()) append_field(out, {"process", options.process}, Format::json);
    if (event.audit) append_field(out, {"stream", "audit"}, Format::json);
    out += R"(,"event":)";
    append_quoted(out, event.text, kEventMax);
}

void append_plain_head(std::string& out, const Event& event, const Options& options)
{
    append_time(out, event.time);
    fmt::format_to(std::back_inserter(out), " {:<5} ", name(event.level));
    if (!options.process.empty()) (out += options.process) += ' ';
    append_escaped(out, event.text, kEventMax);
    if (event.audit) append_field(out, {"stream", "audit"}, Format::plain);
}

void append_as_is(std::string& out, std::string_view line)
{
    const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
    std::ranges::replace_copy_if(line.substr(0, kLineMax - 1), std::back_inserter(out), is_control, '?');
    out += '\n';
}

} // namespace

void append_line(std::string& out, const Event& event, const Options& options)
{
    if (event.as_is) return append_as_is(out, event.text);
    const std::size_t end = out.size() + kLineMax - kTailMax - (event.audit ? kSealMax : 0);
    if (options.format == Format::json)
        append_json_head(out, event, options);
    else
        append_plain_head(out, event, options);
    for (const Field& field : event.fields) {
        const std::size_t fits = out.size();
        append_field(out, field, options.format);
        if (out.size() <= end) continue;
        out.resize(fits);
        append_field(out, {"cut", true}, options.format);
        break;
    }
    out += options.format == Format::json ? "}\n" : "\n";
}

} // namespace sallyport::log

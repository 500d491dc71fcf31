#include "line.hpp"

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

// "2026-11-21T23:04:12.345Z" (RFC 3339, UTC).
void append_time(std::string& out, Time time)
{
    using namespace std::chrono;
    const auto whole = floor<seconds>(time);
    const auto milliseconds_part = floor<milliseconds>(time - whole).count();
    const std::time_t since_epoch = system_clock::to_time_t(whole);
    std::tm utc{};
    ::gmtime_r(&since_epoch, &utc);
    fmt::format_to(std::back_inserter(out), "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", utc.tm_year + 1900,
                   utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, milliseconds_part);
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

template <typename Number>
void append_value(std::string& out, Number number)
{
    fmt::format_to(std::back_inserter(out), "{}", number); // "true" and "false" for a bool
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

} // namespace

void append_line(std::string& out, const Event& event, const Options& options)
{
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

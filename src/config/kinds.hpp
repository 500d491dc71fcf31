// The kinds of values a key may have: how each is read from text, written back, and described in the JSON Schema.
//
// A kind is a small value with
//     using Value                            what it makes
//     expected<Value, string> parse(text)    the value, or what the text is not: "is not a duration such as 10s"
//     Node write(value)                      what `parse` reads back
//     Node schema()                          the JSON Schema of the value
//     string_view what()                     "a duration such as 10s": for "'drain' must be …, not a list"
// Kinds of more than one text are in lists.hpp.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mistakes.hpp"
#include "node.hpp"
#include "sallyport/config/config.hpp"

namespace sallyport::config {

template <typename Value>
using Parsed = std::expected<Value, std::string>;

struct Range {
    std::uint64_t least;
    std::uint64_t most;
};

[[nodiscard]] Parsed<std::uint64_t> parse_integer(std::string_view text, Range range);
[[nodiscard]] Parsed<Millis> parse_duration(std::string_view text, Millis least, Millis most);
[[nodiscard]] Parsed<std::uint64_t> parse_size(std::string_view text, Range range);
[[nodiscard]] std::string print_duration(Millis duration);
[[nodiscard]] std::string print_size(std::uint64_t bytes);

/// Schemas. Each lets a text with `${VAR}` pass, whatever the kind is.
[[nodiscard]] Node integer_schema(Range range, const std::vector<std::string_view>& words);
[[nodiscard]] Node pattern_schema(std::string_view pattern);
[[nodiscard]] Node choice_schema(const std::vector<std::string_view>& names);

/// Whether the node has this form; if not, "'key' must be `what`, not a list" is reported (unless it is `invalid`).
[[nodiscard]] bool is_of_form(Node::Form form, const Node& node, std::string_view key, std::string_view what,
                              Mistakes& mistakes);

/// A number in a range; with `optional`, or the word "auto" for "not given".
template <typename Number>
struct Integer {
    using Value = Number;
    Range range;

    Parsed<Number> parse(std::string_view text) const
    {
        const auto number = parse_integer(text, range);
        if (!number) return std::unexpected{number.error()};
        return static_cast<Number>(*number);
    }
    Node write(Number number) const { return plain_node(std::to_string(number)); }
    Node schema() const { return integer_schema(range, {}); }
    std::string_view what() const { return "a whole number"; }
};

template <typename Number>
struct IntegerOrAuto {
    using Value = std::optional<Number>;
    Range range;

    Parsed<Value> parse(std::string_view text) const
    {
        if (text == "auto") return Value{};
        const auto number = parse_integer(text, range);
        if (!number) return std::unexpected{number.error() + ", nor 'auto'"};
        return Value{static_cast<Number>(*number)};
    }
    Node write(const Value& number) const { return plain_node(number ? std::to_string(*number) : "auto"); }
    Node schema() const { return integer_schema(range, {"auto"}); }
    std::string_view what() const { return "a whole number or 'auto'"; }
};

/// "250ms", "10s", "5m", "1h": never 0, never more than `most`, and whole in its unit.
template <typename Unit>
struct Duration {
    using Value = Unit;
    Unit most;

    Parsed<Unit> parse(std::string_view text) const
    {
        const auto duration = parse_duration(text, Unit{1}, most);
        if (!duration) return std::unexpected{duration.error()};
        const auto whole = std::chrono::duration_cast<Unit>(*duration);
        if (whole != *duration) return std::unexpected{std::string{"must be whole seconds"}};
        return whole;
    }
    Node write(Unit duration) const { return plain_node(print_duration(duration)); }
    Node schema() const
    {
        return pattern_schema(Unit::period::den == 1 ? "[1-9][0-9]*(s|m|h)" : "[1-9][0-9]*(ms|s|m|h)");
    }
    std::string_view what() const { return "a duration such as 10s, 250ms, 5m or 1h"; }
};

/// A duration, or one of these words in its place.
template <typename Time>
struct DurationOr {
    using Value = Time;
    Millis most;
    std::vector<std::pair<std::string_view, Time>> words;

    Parsed<Time> parse(std::string_view text) const
    {
        for (const auto& [word, value] : words)
            if (text == word) return value;
        const auto duration = parse_duration(text, Millis{1}, most);
        if (!duration) return std::unexpected{duration.error() + "; or write " + words_text(" or ")};
        return Time{*duration};
    }
    Node write(const Time& time) const
    {
        for (const auto& [word, value] : words)
            if (time == value) return plain_node(word);
        return plain_node(print_duration(Millis{Optional{time}.value()}));
    }
    Node schema() const { return pattern_schema(words_text("|") + "|[1-9][0-9]*(ms|s|m|h)"); }
    std::string_view what() const { return "a duration such as 10s, 250ms, 5m or 1h, or a word"; }

private:
    using Optional = std::optional<Millis>;
    std::string words_text(std::string_view between) const
    {
        std::string text;
        for (const auto& [word, value] : words)
            text.append(text.empty() ? "" : between).append(word);
        return text;
    }
};

/// "64KiB", "1MiB", "2GiB", "512B".
struct Size {
    using Value = std::uint64_t;
    Range range;

    Parsed<Value> parse(std::string_view text) const { return parse_size(text, range); }
    Node write(Value bytes) const { return plain_node(print_size(bytes)); }
    Node schema() const { return pattern_schema("[1-9][0-9]*(B|KiB|MiB|GiB)"); }
    std::string_view what() const { return "a size such as 64KiB or 1MiB"; }
};

struct Boolean {
    using Value = bool;

    Parsed<bool> parse(std::string_view text) const;
    Node write(bool value) const { return plain_node(value ? "true" : "false"); }
    Node schema() const;
    std::string_view what() const { return "true or false"; }
};

/// What `Choice` says about a text that is none of the names.
[[nodiscard]] std::string not_a_choice(std::string_view text, const std::vector<std::string_view>& names);

template <typename Enum>
struct Choice {
    using Value = Enum;
    std::vector<std::pair<std::string_view, Enum>> names;
    std::vector<std::string_view> later{}; ///< names that a later version will know

    Parsed<Enum> parse(std::string_view text) const
    {
        for (const auto& [name, value] : names)
            if (text == name) return value;
        for (const std::string_view name : later)
            if (text == name) return std::unexpected{std::string{"is not part of this version"}};
        return std::unexpected{not_a_choice(text, all_names())};
    }
    Node write(Enum value) const
    {
        for (const auto& [name, known] : names)
            if (known == value) return string_node(name);
        return {};
    }
    Node schema() const { return choice_schema(all_names()); }
    std::string_view what() const { return "a single word"; }
    std::vector<std::string_view> all_names() const
    {
        std::vector<std::string_view> all;
        for (const auto& [name, value] : names)
            all.push_back(name);
        return all;
    }
};

/// Any text whose characters are printable and that is not too long, and what it is called.
struct Text {
    using Value = std::string;
    std::string_view called;
    std::size_t most;
    bool has_spaces{true};

    Parsed<std::string> parse(std::string_view text) const;
    Node write(const std::string& text) const { return string_node(text); }
    Node schema() const;
    std::string_view what() const { return called; }
};

/// The PEM texts that came in SALLYPORT_CERT and SALLYPORT_KEY.
inline constexpr std::string_view kPairInEnvironment = "env:SALLYPORT_CERT";
inline constexpr std::string_view kKeyInEnvironment = "env:SALLYPORT_KEY";

/// Where a PEM text is: "file:PATH", which is PATH, "env:NAME" or "fd:N"; any other text is a path.
struct PemPlace {
    using Value = std::string;
    std::string_view variable; ///< where the text itself would belong

    Parsed<std::string> parse(std::string_view text) const;
    Node write(const std::string& place) const { return string_node(place); }
    Node schema() const;
    std::string_view what() const { return "the path of a PEM file, env:NAME or fd:N"; }
};

/// Where a passphrase is: the same, but a path has to say "file:", as any other text could be a passphrase.
struct PassphrasePlace {
    using Value = std::string;
    static constexpr bool kMayBeSecret = true;

    Parsed<std::string> parse(std::string_view text) const;
    Node write(const std::string& place) const;
    Node schema() const { return pattern_schema("|(file:|env:|fd:).+"); }
    std::string_view what() const { return "file:PATH, env:NAME or fd:N"; }
};

/// The permissions of a Unix socket: "0660".
struct Permissions {
    using Value = std::uint32_t;

    Parsed<Value> parse(std::string_view text) const;
    Node write(Value mode) const;
    Node schema() const { return pattern_schema("0?[0-7]{3}"); }
    std::string_view what() const { return "permissions such as \"0660\""; }
};

/// "none", which is 0, or a Duration.
template <typename Unit>
struct DurationOrNone {
    using Value = Unit;
    Unit most;

    Parsed<Unit> parse(std::string_view text) const
    {
        if (text == "none") return Unit{0};
        return Duration<Unit>{most}.parse(text);
    }
    Node write(const Unit& duration) const
    {
        return duration.count() == 0 ? string_node("none") : Duration<Unit>{most}.write(duration);
    }
    Node schema() const
    {
        Node schema = mapping_node();
        schema.put("anyOf", list_node({pattern_schema("none"), Duration<Unit>{most}.schema()}));
        return schema;
    }
    std::string_view what() const { return "a duration such as 60s, or none"; }
};

/// "stdout", "syslog", "fd:N".
struct AuditText {
    using Value = AuditStream;

    Parsed<Value> parse(std::string_view text) const;
    Node write(const Value& stream) const;
    Node schema() const { return pattern_schema("stdout|syslog|fd:[1-9][0-9]*"); }
    std::string_view what() const { return "stdout, syslog or a descriptor such as fd:3"; }
};

/// The value of a key whose kind is one text; nothing after a mistake, which is reported.
template <typename Kind>
std::optional<typename Kind::Value> read_text(const Kind& kind, const Node& node, std::string_view key,
                                              Mistakes& mistakes)
{
    if (!is_of_form(Node::Form::scalar, node, key, kind.what(), mistakes)) return std::nullopt;
    auto parsed = is_utf8(node.text) ? kind.parse(node.text) : std::unexpected{std::string{"is not UTF-8"}};
    if (parsed) return std::move(*parsed);
    std::string shown = quote(node.written);
    if constexpr (requires { Kind::kMayBeSecret; }) shown = "(not shown)";
    mistakes.report(node.at, std::string{key} + " " + shown + " " + parsed.error());
    return std::nullopt;
}

} // namespace sallyport::config

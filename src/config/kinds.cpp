#include "kinds.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace sallyport::config {

namespace {

struct Unit {
    std::string_view name;
    std::uint64_t value;
};

// The largest first: that is the one to print.
constexpr std::array kTimes{Unit{"h", 3'600'000}, Unit{"m", 60'000}, Unit{"s", 1000}, Unit{"ms", 1}};
constexpr std::array kSizes{Unit{"GiB", 1ULL << 30}, Unit{"MiB", 1ULL << 20}, Unit{"KiB", 1ULL << 10}, Unit{"B", 1}};

bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/// The number, or nothing if these are not digits only; a number too large for 64 bits is the largest one.
std::optional<std::uint64_t> digits(std::string_view text)
{
    if (text.empty() || !std::ranges::all_of(text, is_digit)) return std::nullopt;
    std::uint64_t number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc{} ? number : std::numeric_limits<std::uint64_t>::max();
}

/// "10s" as 10,000; nothing if it is not a number with one of the units. Too large is the largest number.
template <std::size_t N>
std::optional<std::uint64_t> quantity(std::string_view text, const std::array<Unit, N>& units)
{
    const auto first_letter = std::ranges::find_if_not(text, is_digit);
    const auto split = static_cast<std::size_t>(first_letter - text.begin());
    const auto number = digits(text.substr(0, split));
    const auto unit = std::ranges::find(units, text.substr(split), &Unit::name);
    if (!number || unit == units.end()) return std::nullopt;
    const std::uint64_t largest = std::numeric_limits<std::uint64_t>::max();
    return *number > largest / unit->value ? largest : *number * unit->value;
}

template <std::size_t N>
std::string print_quantity(std::uint64_t amount, const std::array<Unit, N>& units)
{
    const auto fits = [&](const Unit& unit) { return amount % unit.value == 0; };
    const auto unit = std::ranges::find_if(units, fits);
    return std::to_string(amount / unit->value) + std::string{unit->name};
}

std::string out_of_range(const std::string& least, const std::string& most)
{
    return "is not between " + least + " and " + most;
}

Node scalar_schema(std::string_view type)
{
    Node schema = mapping_node();
    schema.put("type", string_node(type));
    return schema;
}

Node or_variable(Node schema)
{
    Node variable = scalar_schema("string");
    variable.put("pattern", string_node("\\$\\{"));
    Node either = mapping_node();
    either.put("anyOf", list_node({std::move(schema), std::move(variable)}));
    return either;
}

Node names_schema(const std::vector<std::string_view>& names)
{
    Node list = list_node();
    for (const std::string_view name : names)
        list.items.push_back(string_node(name));
    Node schema = mapping_node();
    schema.put("enum", std::move(list));
    return schema;
}

constexpr std::string_view kFile = "file:";
constexpr Text kPathOfFile{"the path of a file", 4095};
constexpr Range kInheritedDescriptors{3, 1'048'575};

bool is_place(std::string_view text)
{
    return text.starts_with(kFile) || !is_path(text);
}

/// As environ(7) has it.
bool is_variable(std::string_view name)
{
    const auto is_fit = [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || is_digit(c);
    };
    return !name.empty() && !is_digit(name.front()) && std::ranges::all_of(name, is_fit);
}

/// Without "file:".
Parsed<std::string> parse_place(std::string_view text)
{
    if (text.starts_with(kFile)) {
        const std::string_view path = text.substr(kFile.size());
        if (is_place(path))
            return std::unexpected{std::string{"names a path that begins with a word of its own: './"} +
                                   std::string{path.substr(0, path.find(':'))} + ":…' is clear"};
        return kPathOfFile.parse(path);
    }
    if (text.starts_with(kFromVariable)) {
        if (is_variable(text.substr(kFromVariable.size()))) return std::string{text};
        return std::unexpected{std::string{"names no variable: a name has letters, digits and '_'"}};
    }
    const auto number = parse_integer(text.substr(kFromDescriptor.size()), kInheritedDescriptors);
    if (!number) return std::unexpected{"names a descriptor that " + number.error()};
    return std::string{text};
}

} // namespace

Parsed<std::uint64_t> parse_integer(std::string_view text, Range range)
{
    const auto number = digits(text);
    if (!number) return std::unexpected{std::string{"is not a whole number"}};
    if (*number < range.least || *number > range.most)
        return std::unexpected{out_of_range(std::to_string(range.least), std::to_string(range.most))};
    return *number;
}

Parsed<Millis> parse_duration(std::string_view text, Millis least, Millis most)
{
    const auto amount = quantity(text, kTimes);
    if (!amount && digits(text))
        return std::unexpected{"has no unit: write '" + std::string{text} + "s' for seconds, or ms, m, h"};
    if (!amount) return std::unexpected{std::string{"is not a duration such as 10s, 250ms, 5m or 1h"}};
    if (*amount == 0) return std::unexpected{"is 0: every wait has an end here, at most " + print_duration(most)};
    if (*amount < static_cast<std::uint64_t>(least.count()) || *amount > static_cast<std::uint64_t>(most.count()))
        return std::unexpected{out_of_range(print_duration(least), print_duration(most))};
    return Millis{*amount};
}

Parsed<std::uint64_t> parse_size(std::string_view text, Range range)
{
    const auto amount = quantity(text, kSizes);
    if (!amount) return std::unexpected{std::string{"is not a size such as 64KiB, 1MiB or 2GiB"}};
    if (*amount < range.least || *amount > range.most)
        return std::unexpected{out_of_range(print_size(range.least), print_size(range.most))};
    return *amount;
}

std::string print_duration(Millis duration)
{
    return print_quantity(static_cast<std::uint64_t>(duration.count()), kTimes);
}

std::string print_size(std::uint64_t bytes)
{
    return print_quantity(bytes, kSizes);
}

Node integer_schema(Range range, const std::vector<std::string_view>& words)
{
    Node number = scalar_schema("integer");
    number.put("minimum", plain_node(std::to_string(range.least)));
    number.put("maximum", plain_node(std::to_string(range.most)));
    Node schema = or_variable(std::move(number));
    if (!words.empty()) schema.find("anyOf")->items.push_back(names_schema(words));
    return schema;
}

Node pattern_schema(std::string_view pattern)
{
    Node schema = scalar_schema("string");
    schema.put("pattern", string_node("^(" + std::string{pattern} + ")$|\\$\\{"));
    return schema;
}

Node choice_schema(const std::vector<std::string_view>& names)
{
    return or_variable(names_schema(names));
}

bool is_of_form(Node::Form form, const Node& node, std::string_view key, std::string_view what, Mistakes& mistakes)
{
    if (node.form == form) return true;
    if (node.form == Node::Form::invalid) return false;
    mistakes.report(node.at,
                    quote(key) + " must be " + std::string{what} + ", not " + std::string{describe(node.form)});
    return false;
}

Parsed<bool> Boolean::parse(std::string_view text) const
{
    if (text == "true") return true;
    if (text == "false") return false;
    return std::unexpected{std::string{"is not a boolean: write true or false"}};
}

Node Boolean::schema() const
{
    return or_variable(scalar_schema("boolean"));
}

std::string not_a_choice(std::string_view text, const std::vector<std::string_view>& names)
{
    std::string complaint = "is not one of " + join(names);
    if (!is_yaml_word(text)) return complaint + suggestion(text, names);
    complaint += "; YAML reads it as a boolean or as nothing";
    return std::ranges::find(names, "none") == names.end() ? complaint : complaint + ": did you mean 'none'?";
}

Parsed<std::string> Text::parse(std::string_view text) const
{
    const auto is_fit = [&](char c) {
        const auto value = static_cast<unsigned char>(c);
        return value > ' ' ? value != 0x7f : value == ' ' && has_spaces;
    };
    if (text.empty()) return std::unexpected{"is empty: it must be " + std::string{called}};
    if (text.size() > most) return std::unexpected{"is longer than " + std::to_string(most) + " bytes"};
    if (!std::ranges::all_of(text, is_fit))
        return std::unexpected{"is not " + std::string{called} + ": it holds a character that is not allowed"};
    return std::string{text};
}

Node Text::schema() const
{
    Node schema = scalar_schema("string");
    schema.put("maxLength", plain_node(std::to_string(most)));
    return schema;
}

Parsed<std::string> PemPlace::parse(std::string_view text) const
{
    if (holds_pem(text))
        return std::unexpected{"must be a path; a PEM text belongs into the variable " + std::string{variable}};
    if (is_place(text)) return parse_place(text);
    return kPathOfFile.parse(text);
}

Node PemPlace::schema() const
{
    return scalar_schema("string");
}

Parsed<std::string> PassphrasePlace::parse(std::string_view text) const
{
    if (is_place(text)) return parse_place(text);
    return std::unexpected{"says not where the passphrase is: write file:PATH, env:NAME or fd:N"};
}

Node PassphrasePlace::write(const std::string& place) const
{
    return string_node(is_path(place) && !place.empty() ? std::string{kFile} + place : place);
}

Parsed<std::uint32_t> Permissions::parse(std::string_view text) const
{
    constexpr std::size_t kDigits = 3;
    std::uint32_t mode{};
    const std::string_view octal = text.starts_with('0') ? text.substr(1) : text;
    const auto [end, error] = std::from_chars(octal.data(), octal.data() + octal.size(), mode, 8);
    if (octal.size() != kDigits || error != std::errc{} || end != octal.data() + octal.size())
        return std::unexpected{std::string{"is not three octal digits such as \"0660\""}};
    return mode;
}

Node Permissions::write(std::uint32_t mode) const
{
    const auto digit = [&](int shift) { return static_cast<char>('0' + ((mode >> shift) & 7U)); };
    return string_node(std::string{'0', digit(6), digit(3), digit(0)});
}

Parsed<AuditStream> AuditText::parse(std::string_view text) const
{
    if (text == "stdout") return AuditStream{};
    if (text == "syslog") return AuditStream{AuditPlace::syslog, -1};
    if (!text.starts_with(kFromDescriptor)) return std::unexpected{"is not " + std::string{what()}};
    const auto number = parse_integer(text.substr(kFromDescriptor.size()), kInheritedDescriptors);
    if (!number) return std::unexpected{"names a descriptor that " + number.error()};
    return AuditStream{AuditPlace::descriptor, static_cast<int>(*number)};
}

Node AuditText::write(const AuditStream& stream) const
{
    switch (stream.place) {
    case AuditPlace::standard_output:
        break;
    case AuditPlace::descriptor:
        return string_node("fd:" + std::to_string(stream.descriptor));
    case AuditPlace::syslog:
        return string_node("syslog");
    }
    return string_node("stdout");
}

} // namespace sallyport::config

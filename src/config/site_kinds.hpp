// The kinds of values of a listener of mode http.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kinds.hpp"
#include "sallyport/config/config.hpp"

namespace sallyport::config {

/// "a.example", "*.a.example", "192.0.2.1", "[2001:db8::1]".
struct HostText {
    using Value = std::string;

    Parsed<std::string> parse(std::string_view text) const;
    Node write(const std::string& host) const { return string_node(host); }
    Node schema() const;
    std::string_view what() const { return "a host name, or a list of them"; }
};

/// "/api": a prefix of whole segments, with nothing in it that two readers could take differently.
struct PathText {
    using Value = std::string;

    Parsed<std::string> parse(std::string_view text) const;
    Node write(const std::string& path) const { return string_node(path); }
    Node schema() const;
    std::string_view what() const { return "a path, or a list of them"; }
};

/// "GET"
struct MethodText {
    using Value = std::string;

    Parsed<std::string> parse(std::string_view text) const;
    Node write(const std::string& method) const { return string_node(method); }
    Node schema() const;
    std::string_view what() const { return "a method, or a list of them"; }
};

/// "https", "https:8443".
struct RedirectText {
    using Value = std::optional<std::uint16_t>;

    Parsed<Value> parse(std::string_view text) const;
    Node write(const Value& port) const;
    Node schema() const { return pattern_schema("https(:[0-9]+)?"); }
    std::string_view what() const { return "https"; }
};

/// "10.0.0.0/8", "192.0.2.1", "fd00::/8", "unix".
struct TrustedProxyText {
    using Value = TrustedProxy;

    Parsed<TrustedProxy> parse(std::string_view text) const;
    Node write(const TrustedProxy& proxy) const { return string_node(proxy.text); }
    Node schema() const { return pattern_schema("[0-9.]+(/[0-9]+)?|[0-9A-Fa-f:.]+(/[0-9]+)?|unix"); }
    std::string_view what() const { return "a network such as 10.0.0.0/8"; }
};

/// The name of a field that a rule may speak of.
struct FieldNameText {
    using Value = std::string;

    Parsed<std::string> parse(std::string_view text) const;
    Node write(const std::string& name) const { return string_node(name); }
    Node schema() const;
    std::string_view what() const { return "the name of a field"; }
};

/// A mapping from names of fields to their values.
struct HeaderLines {
    using Value = std::vector<HeaderLine>;
    std::size_t lines_max;

    std::optional<Value> read(const Node& node, std::string_view key, Mistakes& mistakes) const;
    Node write(const Value& lines) const;
    Node schema() const;
};

} // namespace sallyport::config

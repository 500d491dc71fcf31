// Where to listen and where to forward to, as texts.
#pragma once

#include "kinds.hpp"
#include "sallyport/config/config.hpp"

namespace sallyport::config {

/// ":443", "443", "10.0.0.1:443", "[::]:443", "unix:/run/x.sock", "fd:3", "systemd:https".
struct BindText {
    using Value = Bind;

    Parsed<Bind> parse(std::string_view text) const;
    Node write(const Bind& bind) const { return string_node(bind.text); }
    Node schema() const;
    std::string_view what() const { return "an address to listen on"; }
};

/// "auto", "none", "unix:/run/x.sock", "unix:@name", "127.0.0.1:9901", "[::1]:9901".
struct AdminText {
    using Value = AdminBind;

    Parsed<AdminBind> parse(std::string_view text) const;
    Node write(const AdminBind& bind) const;
    Node schema() const;
    std::string_view what() const { return "auto, none, a Unix socket or a loopback address"; }
};

/// "127.0.0.1:7766", "7766" (of 127.0.0.1), "localhost:7766" (the same), "[::1]:7766", "unix:/run/app.sock",
/// "app.internal:7766"; each may begin with "http://" or "h2c://".
struct UpstreamText {
    struct Value {
        Protocol protocol{};
        AppAddress address;
    };

    Parsed<Value> parse(std::string_view text) const;
    Node write(const Value& value) const;
    Node schema() const;
    std::string_view what() const { return "an address or a list of addresses"; }
};

/// One of these, or a list of them that speaks one protocol.
struct UpstreamTexts {
    using Value = AppAddresses;
    std::size_t items_max;

    std::optional<Value> read(const Node& node, std::string_view key, Mistakes& mistakes) const;
    Node write(const Value& addresses) const;
    Node schema() const;
};

/// Name servers: "10.0.0.2", "[fd00::2]", or with a port other than 53, "127.0.0.1:8600".
struct NameServers {
    using Value = std::vector<SocketAddress>;
    std::size_t items_max;

    std::optional<Value> read(const Node& node, std::string_view key, Mistakes& mistakes) const;
    Node write(const Value& servers) const;
    Node schema() const;
};

/// Whether it is a Unix socket with a path, and so with permissions.
[[nodiscard]] bool is_in_file_system(const Bind& bind);

/// Whether two binds would take the same socket: the same place, or the same port of every address.
[[nodiscard]] bool is_same_place(const Bind& a, const Bind& b);

} // namespace sallyport::config

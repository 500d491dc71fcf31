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

/// "127.0.0.1:7766", "7766" (of 127.0.0.1), "localhost:7766" (the same), "[::1]:7766", "unix:/run/app.sock".
struct UpstreamText {
    using Value = SocketAddress;

    Parsed<SocketAddress> parse(std::string_view text) const;
    Node write(const SocketAddress& address) const { return string_node(address.text()); }
    Node schema() const;
    std::string_view what() const { return "one address or one Unix socket in this version"; }
};

/// Whether it is a Unix socket with a path, and so with permissions.
[[nodiscard]] bool is_in_file_system(const Bind& bind);

/// Whether two binds would take the same socket: the same place, or the same port of every address.
[[nodiscard]] bool is_same_place(const Bind& a, const Bind& b);

} // namespace sallyport::config

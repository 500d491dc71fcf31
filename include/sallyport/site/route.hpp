// Where a request goes: the first of a listener's routes that takes it, else what the listener says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sallyport/http/request_head.hpp"
#include "sallyport/ipc/control.hpp"
#include "sallyport/site/header_plan.hpp"

namespace sallyport::site {

/// A host name, exact or `*.example.com`, which is one label more than `example.com`. Case and a final dot do not
/// matter.
class HostPattern {
public:
    explicit HostPattern(std::string_view text);
    /// `host`: `RequestHead::host`.
    [[nodiscard]] bool matches(std::string_view host) const;

private:
    std::string name_; ///< in lower case; of a wildcard what follows the `*`
    bool wildcard_;
};

/// A set of methods; an empty one has them all. GET means HEAD as well: the same question (RFC 9110 §9.3.2).
class MethodSet {
public:
    MethodSet() = default;
    explicit MethodSet(std::vector<std::string> names);
    [[nodiscard]] bool contains(const http::RequestHead& head) const;

private:
    std::vector<std::string> names_;
};

/// What becomes of a request. Immutable; shards share it.
struct Route {
    enum class Action : std::uint8_t { forward, redirect };

    Action action{Action::forward};
    std::uint32_t upstream{0}; ///< of `forward`, in the order of ipc::Upstream

    std::vector<HostPattern> hosts; ///< empty: any
    std::vector<std::string> paths; ///< prefixes, in lower case; empty: any
    MethodSet methods;

    HeaderPlan headers;
};

/// Why a request has no route.
enum class Unrouted : std::uint8_t {
    no_route, ///< 404
    /// 400: an app that decodes the path, merges its slashes or removes its dot segments would see one that belongs to
    /// another route.
    ambiguous_path
};

/// The name of it for the log: "no route", "ambiguous path".
[[nodiscard]] std::string_view text(Unrouted why);

/// Whether `path` (with or without a query) is `prefix` or below it. `prefix` is in lower case; case does not matter.
/// "/api" has "/api", "/api/x" and "/api;v=1", not "/apix"; "/api/" has what is below it alone.
[[nodiscard]] bool is_below(std::string_view path, std::string_view prefix);

/// How the least strict reader of a path takes it: everything decoded, again and again, `\` as `/`, parameters cut,
/// slashes merged, in lower case, without the query. `into` is set anew. False: it has dot segments or a NUL in that
/// reading, which no client that follows RFC 3986 §5.2.4 sends.
[[nodiscard]] bool read_loosely(std::string_view path, std::string& into);

} // namespace sallyport::site

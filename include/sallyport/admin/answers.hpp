// What is answered to whom: a request's head in, a response out. No I/O.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sallyport/admin/view.hpp"
#include "sallyport/http/head_scanner.hpp"

namespace sallyport::admin {

inline constexpr http::Limits kHeadLimits{
    .head_bytes = 8 * 1024, .target_bytes = 1024, .fields = 64, .trailer_bytes = 0};

/// What is asked for.
enum class Page : std::uint8_t { health, readiness, metrics, status };

/// A request that is over before it is answered: what it was, or why not.
struct Asked {
    std::optional<Page> page;
    bool wants_body{true}; ///< false: HEAD
    std::uint16_t refusal{0};
};

/// A whole head, as HeadScanner has found its end.
[[nodiscard]] Asked parse(std::string_view head);

/// The whole response, which is the connection's last.
[[nodiscard]] std::string refuse(std::uint16_t status, bool wants_body);

/// `silent`: the shards that have not answered in time; of Page::health only.
[[nodiscard]] std::string answer(Page page, bool wants_body, View& view, const std::vector<std::size_t>& silent);

/// /status as JSON.
[[nodiscard]] std::string status_json(const Status& status);

} // namespace sallyport::admin

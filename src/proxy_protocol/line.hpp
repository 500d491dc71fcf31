// Version 1: one line of text (PP §2.1).
#pragma once

#include "sallyport/proxy_protocol/header.hpp"

namespace sallyport::proxy_protocol {

/// `text` begins with kLineStart.
[[nodiscard]] std::expected<Look, std::string_view> look_at_line(std::string_view text, std::size_t size_max);

} // namespace sallyport::proxy_protocol

// Version 2: a binary block (PP §2.2).
#pragma once

#include "sallyport/proxy_protocol/header.hpp"

namespace sallyport::proxy_protocol {

/// `bytes` begin with kSignature.
[[nodiscard]] std::expected<Look, std::string_view> look_at_block(std::span<const std::byte> bytes,
                                                                  std::size_t size_max);

} // namespace sallyport::proxy_protocol

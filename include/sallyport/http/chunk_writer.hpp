// The chunked transfer coding, written (RFC 9112 §7.1).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "sallyport/http/fields.hpp"
#include "sallyport/http/name_set.hpp"

namespace sallyport::http {

/// What stands between two chunks. A body is written as
///     prefix data  prefix data  …  last chunk
/// so that each run of bytes needs one piece in front of it and none behind.
class ChunkPrefix {
public:
    /// `size` > 0; `first`: no chunk came before, whose line is to be ended.
    ChunkPrefix(std::uint64_t size, bool first);
    [[nodiscard]] std::string_view text() const { return {text_.data(), size_}; }

private:
    std::array<char, 20> text_; ///< CRLF, 16 digits, CRLF
    std::uint8_t size_{0};
};

/// Ends the body: the chunk of size 0, and these trailers without those that the route removes from the head (nullptr:
/// none), as there are apps that take trailers for fields. `first`: the body had no chunk.
void append_last_chunk(std::string& out, const Fields& trailers, const NameSet* removed, bool first);

} // namespace sallyport::http

// The fields of one header block, while it arrives.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sallyport/http/fields.hpp"
#include "sallyport/http/head_scanner.hpp"

namespace sallyport::http2 {

/// Blocks come one after the other, so a session has one. Allocates only to grow.
class HeadBlock {
public:
    /// Pseudo-header fields, in the order of their use.
    enum Pseudo : std::uint8_t { method, scheme, authority, path, protocol, status, kPseudoCount };

    /// A block begins: so far nobody wants to keep it.
    void begin(const http::Limits& limits);
    /// Its bytes go into `text`, which is emptied.
    void keep_in(std::string& text, std::size_t bytes_max);

    /// False: there is no end to it (many times what is allowed), and the connection should end.
    [[nodiscard]] bool add(std::string_view name, std::string_view value);
    /// A field that no HTTP message has.
    void add_invalid(std::string_view name);
    /// So many bytes of the block have come, as they are on the wire. False: as above.
    [[nodiscard]] bool count_wire_bytes(std::size_t size);

    /// Joins cookie crumbs (RFC 9113 §8.2.3) and puts the fields into `into`, and the pseudo-header fields into view.
    void end(http::Fields& into);
    /// After `end`.
    [[nodiscard]] std::string_view pseudo(Pseudo which) const { return pseudo_texts_[which]; }
    /// Why the head is not to be passed on; what exceeds a limit is not kept.
    [[nodiscard]] std::optional<http::Refused> refused() const;

private:
    struct Piece {
        std::uint32_t at;
        std::uint32_t name;
        std::uint32_t value;
    };
    void keep(std::string_view name, std::string_view value);
    void join_cookies();
    [[nodiscard]] std::string_view name_of(const Piece& piece) const { return {text_->data() + piece.at, piece.name}; }
    [[nodiscard]] std::string_view value_of(const Piece& piece) const
    {
        return {text_->data() + piece.at + piece.name, piece.value};
    }
    void note_size(std::string_view name, std::size_t size);

    http::Limits limits_;
    std::string* text_{nullptr};
    std::vector<Piece> pieces_;
    std::string_view pseudo_texts_[kPseudoCount];
    std::string largest_name_;
    std::string_view largest_shown_;
    std::size_t largest_size_{0};
    std::size_t bytes_{0};
    std::size_t bytes_max_{0};
    std::size_t wire_bytes_{0};
    std::size_t cookies_{0};
    std::size_t fields_{0}; ///< all crumbs are one
    std::optional<http::Refusal> refused_;
};

} // namespace sallyport::http2

// The seal of an audit line: its chain, its number in it, and a hash over it and everything before it.
//
//     {"time":…,"stream":"audit","event":…,…,"chain":"5f0c…","seq":7,"hash":"9a31…"}
//
// The hash is SHA-256 of the hash before it (64 zeros before the first line) and the bytes of the line up to
// `,"hash":` (plain: ` hash=`), in hex. verify.hpp says what that shows and what it does not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sallyport/log/log.hpp"

namespace sallyport::log {

/// The most bytes that a seal adds to a line.
inline constexpr std::size_t kSealMax = 160;
inline constexpr std::size_t kChainDigits = 16;
inline constexpr std::size_t kHashDigits = 64;

/// Of this hash and the text of the next line, as hex.
[[nodiscard]] std::string next_hash(std::string_view hash, std::string_view text);
[[nodiscard]] std::string first_hash();

/// The lines of one process. Thread: one at a time.
class Chain {
public:
    explicit Chain(std::string id) : id_{std::move(id)}, hash_{first_hash()} {}

    /// Seals the line that starts at `from` and ends with what append_line ends it with.
    void seal(std::string& text, std::size_t from, Format format);

private:
    std::string id_;
    std::uint64_t seq_{0};
    std::string hash_;
};

/// What a seal says. Borrows from the line.
struct Seal {
    std::string_view chain;
    std::uint64_t seq;
    std::string_view hash;
    std::string_view text; ///< what was hashed
};

/// Of a line without its line feed, in either format; nothing if it has none. What a collector of logs puts before a
/// JSON line is passed over.
[[nodiscard]] std::optional<Seal> read_seal(std::string_view line);

} // namespace sallyport::log

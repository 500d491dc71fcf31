// The small text files of /proc and /sys, whole or line by line.
#pragma once

#include <charconv>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport::sys {

/// Reads a file, or plays one: nothing if there is no such file.
using ReadText = std::function<std::optional<std::string>(const std::string& path)>;

/// At most 1 MiB; nothing if it cannot be read.
[[nodiscard]] std::optional<std::string> read_text(const std::string& path);

/// The text up to the next line feed, which is taken off `rest` with it.
[[nodiscard]] std::string_view take_line(std::string_view& rest);

/// The text up to the next space or tab, which are taken off `rest` with it.
[[nodiscard]] std::string_view take_word(std::string_view& rest);

/// The whole word as a number.
template <typename T>
[[nodiscard]] std::optional<T> parse_number(std::string_view word, int base = 10)
{
    T value{};
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value, base);
    if (error != std::errc{} || end != word.data() + word.size()) return std::nullopt;
    return value;
}

} // namespace sallyport::sys

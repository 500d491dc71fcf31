// The value of `Date` (RFC 9110 §5.6.7).
#pragma once

#include <array>
#include <chrono>
#include <string_view>

namespace sallyport::site {

/// "Sun, 22 Nov 2026 10:17:19 GMT"
class HttpDate {
public:
    explicit HttpDate(std::chrono::system_clock::time_point time);
    [[nodiscard]] std::string_view text() const { return {text_.data(), text_.size()}; }

private:
    std::array<char, 29> text_;
};

} // namespace sallyport::site

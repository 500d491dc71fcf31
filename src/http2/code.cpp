#include "sallyport/http2/code.hpp"

#include <array>

namespace sallyport::http2 {

std::string_view name(Code code)
{
    constexpr std::array<std::string_view, 14> kNames{"no_error",
                                                      "protocol_error",
                                                      "internal_error",
                                                      "flow_control_error",
                                                      "settings_timeout",
                                                      "stream_closed",
                                                      "frame_size_error",
                                                      "refused_stream",
                                                      "cancel",
                                                      "compression_error",
                                                      "connect_error",
                                                      "enhance_your_calm",
                                                      "inadequate_security",
                                                      "http_1_1_required"};
    static_assert(kNames.back() == "http_1_1_required");
    const auto number = static_cast<std::size_t>(code);
    return number < kNames.size() ? kNames[number] : "unknown";
}

} // namespace sallyport::http2

// What the operator sets in the app so that it believes our forwarding headers.
#pragma once

#include <string_view>

#include "sallyport/base/socket_address.hpp"

namespace sallyport::site {

/// Where the app sees our connections come from.
enum class AppSees : std::uint8_t { loopback_ipv4, loopback_ipv6, unix_socket, network };

[[nodiscard]] AppSees app_sees(const SocketAddress& app);

/// One line of configuration for each; static text.
struct TrustAdvice {
    std::string_view uvicorn;
    std::string_view gunicorn;
    std::string_view django;
    std::string_view express;
};

[[nodiscard]] const TrustAdvice& trust_advice(AppSees from);

} // namespace sallyport::site

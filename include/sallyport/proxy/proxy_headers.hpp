// What a listener takes of the PROXY headers that its connections begin with.
#pragma once

#include <cstdint>

#include "sallyport/ipc/proxy_protocol.hpp"
#include "sallyport/proxy_protocol/header.hpp"
#include "sallyport/site/forwarding.hpp"

namespace sallyport::proxy {

struct ProxyHeaders {
    ProxyHeaders() = default;
    explicit ProxyHeaders(const ipc::ProxyProtocol& settings)
        : mode{settings.mode},
          rules{static_cast<proxy_protocol::Versions>(settings.versions), settings.size_max},
          trusted{settings.trusted, settings.trusts_unix_sockets},
          timeout_ms{settings.timeout_ms}
    {
        static_assert(static_cast<int>(proxy_protocol::Versions::v2) == static_cast<int>(ipc::ProxyVersions::v2));
    }

    ipc::ProxyHeader mode{};
    proxy_protocol::Rules rules;
    site::TrustedProxies trusted;
    std::uint32_t timeout_ms{};

    [[nodiscard]] bool are_awaited() const { return mode != ipc::ProxyHeader::none; }
};

} // namespace sallyport::proxy

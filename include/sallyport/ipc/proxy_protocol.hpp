// The PROXY protocol: what a listener takes of it, and what an app is sent.
#pragma once

#include <cstdint>
#include <vector>

#include "sallyport/ipc/site_settings.hpp"

namespace sallyport::ipc {

/// Whether clients' connections begin with a PROXY header.
enum class ProxyHeader : std::uint8_t { none, optional, required };
/// Which ones are taken.
enum class ProxyVersions : std::uint8_t { any, v1, v2 };

/// Of a listener.
struct ProxyProtocol {
    ProxyHeader mode{};
    ProxyVersions versions{};
    std::vector<Network> trusted{}; ///< who may send one; not empty unless `none`, or Unix sockets are trusted
    bool trusts_unix_sockets{};
    std::uint32_t timeout_ms{}; ///< until it is through
    std::uint32_t size_max{};   ///< of the whole of it

    bool operator==(const ProxyProtocol&) const = default;

    template <typename A>
    void fields(A& a)
    {
        a(mode, versions, trusted, trusts_unix_sockets, timeout_ms, size_max);
    }
};

/// What an app's connections begin with.
enum class SentProxyHeader : std::uint8_t { none, v1, v2, v2_crc32c };

} // namespace sallyport::ipc

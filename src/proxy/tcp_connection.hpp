// `mode: tcp`: one client's connection and its app's, byte by byte.
#pragma once

#include <cstdint>

#include "connection.hpp"
#include "sallyport/upstream/upstream.hpp"

namespace sallyport::proxy {

class TcpConnection final : public Connection {
public:
    TcpConnection(Shard& shard, const Listener& listener, UniqueFd accepted, const PeerAddress& peer);

    void cancel() override;
    /// Both sides see an end in bad order: a reset, never FIN or close_notify.
    void reset_both();

    upstream::Upstream& upstream;
    upstream::Attempt* attempt{nullptr}; ///< while the app is being connected to
    upstream::AppConnectionPtr app;
    std::uint64_t from_client{0};
    std::uint64_t to_client{0};
    bool app_finished{false}; ///< the app's end has been told to the client
};

/// The story: (PROXY header) → handshake → connect to the app → relay. Runs at once; the connection is gone when it
/// ends.
net::Detached serve_tcp(Shard& shard, const Listener& listener, UniqueFd accepted, PeerAddress peer);

} // namespace sallyport::proxy

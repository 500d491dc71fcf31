// Ends a WebSocket between two frames: the client is told "going away" (1001), and nothing after that.
#pragma once

#include "sallyport/http/websocket_frames.hpp"
#include "stream.hpp"

namespace sallyport::proxy {

/// The direction towards the client.
class FrameGuard {
public:
    /// As Stream::write; once the client has been told, pieces are dropped, and count as sent.
    [[nodiscard]] Result<void> write(Stream& client, const Piece& piece);

    /// Says it at the next boundary: now, if this is one and the client takes it.
    [[nodiscard]] Result<void> go_away(Stream& client);

private:
    [[nodiscard]] Result<void> say_it(Stream& client);

    http::WebSocketFrames frames_;
    bool going_away_{false};
    bool said_{false};
};

} // namespace sallyport::proxy

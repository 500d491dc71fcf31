#include "frame_guard.hpp"

namespace sallyport::proxy {

Result<void> FrameGuard::write(Stream& client, const Piece& piece)
{
    if (said_) return piece.end ? client.write({.end = true}) : Result<void>{};
    const std::size_t whole = frames_.pass(piece.bytes);
    if (!going_away_ || frames_.closing() || (whole == 0 && !frames_.at_boundary())) return client.write(piece);
    if (const auto sent = client.write({.bytes = piece.bytes.first(whole)}); !sent) return sent;
    if (const auto sent = say_it(client); !sent) return sent;
    return piece.end ? client.write({.end = true}) : Result<void>{};
}

Result<void> FrameGuard::go_away(Stream& client)
{
    going_away_ = true;
    return frames_.at_boundary() && !frames_.closing() && !said_ ? say_it(client) : Result<void>{};
}

Result<void> FrameGuard::say_it(Stream& client)
{
    said_ = true;
    return client.write({.bytes = http::kGoingAway});
}

} // namespace sallyport::proxy

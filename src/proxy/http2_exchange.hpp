// One exchange of an HTTP/2 connection.
#pragma once

#include "sallyport/http2/server_session.hpp"
#include "sallyport/net/task.hpp"

namespace sallyport::proxy {

class Http2Session;

/// Runs at once; the stream is released when it ends.
net::Detached serve_stream(Http2Session& session, http2::ServerStream& stream);

} // namespace sallyport::proxy

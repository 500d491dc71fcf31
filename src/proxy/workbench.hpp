// What the connections of one shard work with, and none of them keeps.
#pragma once

#include <array>
#include <cstddef>
#include <random>
#include <string>

#include "exchange_buffers.hpp"
#include "sallyport/http/head_scanner.hpp"
#include "sallyport/http2/client_session.hpp"
#include "sallyport/http2/server_session.hpp"
#include "sallyport/ipc/settings.hpp"
#include "sallyport/net/held_bytes.hpp"
#include "sallyport/site/access_log.hpp"
#include "sallyport/site/forwarding.hpp"
#include "sallyport/tls/scratch.hpp"

namespace sallyport::proxy {

/// Thread: the shard's. Throws StartError when it is made.
class Workbench {
public:
    Workbench(const ipc::Limits& limits, const ipc::AccessLog& access, metrics::Traffic& traffic);

    net::HoldBudget budget; ///< of what slow readers may hold together
    tls::Scratch scratch;
    const http::Limits http_limits;
    site::AccessLog access_log;
    site::RequestEdits request_edits;
    SpareBuffers spare_buffers;
    http2::StreamPool<http2::ServerStream> spare_streams;
    http2::StreamPool<http2::ClientStream> spare_app_streams;
    /// For what is put together and sent within one turn.
    std::string out;

    /// New with each call.
    [[nodiscard]] std::array<std::byte, 16> request_seed();

private:
    std::mt19937_64 random_; // of request ids, which are no secrets
};

} // namespace sallyport::proxy

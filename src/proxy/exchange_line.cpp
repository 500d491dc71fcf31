#include "exchange_line.hpp"

#include <string>

namespace sallyport::proxy {

namespace {

std::string_view text(const Exchange& x)
{
    if (x.request.method_text.empty()) return {};
    switch (x.request.version) {
    case http::Version::http10:
        return "1.0";
    case http::Version::http11:
        return "1.1";
    case http::Version::http2:
        return "2";
    }
    return {};
}

site::ConnectionFacts facts_of(const Exchange& x, const tls::HandshakeFacts& tls, std::string_view client,
                               std::string_view via)
{
    return {.client = client,
            .via = via,
            .listener = x.connection.listener.bind,
            .tls = tls.version,
            .cipher = tls.cipher,
            .group = tls.group,
            .sni = tls.sni,
            .alpn = tls.alpn,
            .resumed = tls.resumed};
}

} // namespace

void write_exchange_line(Exchange& x)
{
    site::AccessLog& log = x.shard().bench().access_log;
    if (!log.wants(x.reason())) return;

    const std::string client = x.connection.peer.text();
    const auto& introduction = x.connection.introduction;
    const std::string via = introduction ? introduction->via.text() : std::string{};
    const std::string app = x.app != nullptr ? x.app->address().text() : std::string{};
    const net::Tick now = x.shard().loop().now();
    site::Exchange line;
    line.connection = facts_of(x, x.connection.client.facts(), client, via);
    line.http = text(x);
    line.method = x.request.method_text;
    line.host = x.request.host;
    line.target = x.request.target;
    line.fields = &x.request.fields;
    line.request_id = x.buffers.request_id;
    line.number = x.account.number;
    line.status = x.account.status;
    line.bytes_from_client = x.account.from_client;
    line.bytes_to_client = x.account.to_client;
    line.duration_ms = now - x.account.began;
    if (x.account.answered != 0) line.first_byte_ms = x.account.answered - x.account.began;
    if (x.account.answered != 0 && x.account.asked != 0) line.upstream_ms = x.account.answered - x.account.asked;
    if (x.account.connected) line.connect_ms = x.account.connect_ms;
    line.upstream = x.account.upstream;
    line.upstream_address = app;
    line.reused = x.app != nullptr && x.app->reused();
    line.replayed = x.account.replayed;
    line.reason = x.reason();
    line.detail = x.detail();
    log.write(line);
}

} // namespace sallyport::proxy

#include "connection_line.hpp"

#include <array>
#include <span>
#include <string>

#include "sallyport/log/log.hpp"

namespace sallyport::proxy {

namespace {

log::Level level_of(const Result<void>& outcome)
{
    if (outcome || outcome.error().side == Side::client || outcome.error().fault == Fault::aborted)
        return log::Level::info;
    return outcome.error().side == Side::upstream ? log::Level::warn : log::Level::error;
}

/// "end" of the line: who and what, as one word to count by: "orderly", "client_reset", "upstream_refused", "cut".
std::string end_of(const Result<void>& outcome)
{
    if (outcome) return "orderly";
    if (outcome.error().fault == Fault::aborted) return "cut";
    return std::string{name(outcome.error().side)} + "_" + std::string{name(outcome.error().fault)};
}

std::string reason_of(const Connection& c, const Result<void>& outcome)
{
    if (outcome) return {};
    const Error& error = outcome.error();
    std::string text{error.doing};
    if (!c.client.reason().empty()) text += ": " + std::string{c.client.reason()};
    if (error.cause) text += ": " + error.cause.message();
    return text;
}

} // namespace

void write_connection_line(Connection& c, const Result<void>& outcome, const Carried& carried)
{
    if (is_probe(c, outcome)) return;
    const log::Level level = level_of(outcome);
    if (!log::enabled(level)) return;

    const tls::HandshakeFacts facts = c.client.facts();
    const std::string end = end_of(outcome);
    const std::string reason = reason_of(c, outcome);
    const std::string client = c.peer.text();
    const std::string via = c.introduction ? c.introduction->via.text() : std::string{};
    const std::array fields{
        log::Field{"client", client},
        log::Field{"listener", c.listener.bind},
        log::Field{"sni", facts.sni},
        log::Field{"tls", facts.version},
        log::Field{"cipher", facts.cipher},
        log::Field{"group", facts.group},
        log::Field{"alpn", facts.alpn},
        log::Field{"resumed", facts.resumed},
        log::Field{"upstream", carried.upstream},
        log::Field{"bytes_from_client", carried.from_client},
        log::Field{"bytes_to_client", carried.to_client},
        log::Field{"duration_ms", c.loop().now() - c.began},
        log::Field{"stage", name(c.stage())},
        log::Field{"end", end},
        log::Field{"reason", reason},
        log::Field{"via", via}, // last, as most have none
    };
    log::write(level, "connection ended", std::span{fields}.first(fields.size() - (via.empty() ? 1 : 0)));
}

} // namespace sallyport::proxy

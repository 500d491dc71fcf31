// Every message of control.hpp, keys.hpp and starter.hpp: what is written is what is read, and nothing else is.
#include "sallyport/ipc/admin.hpp"
#include "sallyport/ipc/authority.hpp"
#include "sallyport/ipc/control.hpp"
#include "sallyport/ipc/keys.hpp"
#include "sallyport/ipc/starter.hpp"

#include <tuple>

#include "samples.hpp"
#include "support/catch.hpp"

using namespace sallyport;
using namespace sallyport::ipc;
using namespace sallyport::ipc::samples;

// A structured binding names every member, so a member that is added does not compile until it is compared here.
namespace {

auto values(const HttpLimits& m)
{
    const auto& [head, target, fields, trailers, body, head_ms, body_ms, rate, keep_alive, response, tunnel, close,
                 linger_idle, linger_all, requests, streams, stream_window, connection_window] = m;
    return std::tuple{head,        target,     fields,     trailers, body,          head_ms,
                      body_ms,     rate,       keep_alive, response, tunnel,        close,
                      linger_idle, linger_all, requests,   streams,  stream_window, connection_window};
}
auto values(const Limits& m)
{
    const auto& [connections, handshake, connect, idle, buffers, http] = m;
    return std::tuple{connections, handshake, connect, idle, buffers, values(http)};
}
auto values(const LogSettings& m)
{
    const auto& [level, format, lines, chain, audit] = m;
    return std::tuple{level, format, lines, chain, audit};
}
auto values(const AccessLog& m)
{
    const auto& [format, headers, redact] = m;
    return std::tuple{format, headers, redact};
}
auto values(const Hello& m)
{
    const auto& [id, log, sandbox, place, shards, limits, access, check, wait] = m;
    return std::tuple{id,     values(log),    sandbox.level,  sandbox.seccomp, place,
                      shards, values(limits), values(access), check,           wait};
}
auto values(const Figures& m)
{
    const auto& [generation] = m;
    return std::tuple{generation};
}
auto values(const Admin& m)
{
    const auto& [bind, checks_peer, uid, timeout, most] = m;
    return std::tuple{bind, checks_peer, uid, timeout, most};
}
auto values(const Upstream& m)
{
    const auto& [name, protocol, addresses, idle, most, skip, proxy_header] = m;
    return std::tuple{name, protocol, addresses, idle, most, skip, proxy_header};
}
auto values(const NameService& m)
{
    const auto& [servers, search, ndots, attempts, timeout, least, most] = m;
    return std::tuple{servers, search, ndots, attempts, timeout, least, most};
}
auto values(const TlsSettings& m)
{
    const auto& [profile, tickets, lifetime, alpn, certificates] = m;
    return std::tuple{profile, tickets, lifetime, alpn, certificates};
}
auto values(const HeaderRules& m)
{
    const auto& [set, add, remove] = m;
    return std::tuple{set, add, remove};
}
auto values(const SiteSettings& m)
{
    const auto& [otherwise, port, forwarded, trusted, unix_sockets, hsts, request, response] = m;
    return std::tuple{otherwise, port, forwarded, trusted, unix_sockets, hsts, values(request), values(response)};
}
auto values(const Listener& m)
{
    const auto& [bind, shared, mode, upstream, tls, site, proxy] = m;
    return std::tuple{bind,
                      shared,
                      mode,
                      upstream,
                      values(tls),
                      values(site),
                      proxy.mode,
                      proxy.versions,
                      proxy.trusted,
                      proxy.trusts_unix_sockets,
                      proxy.timeout_ms,
                      proxy.size_max};
}
auto values(const Route& m)
{
    const auto& [hosts, paths, methods, upstream, request, response] = m;
    return std::tuple{hosts, paths, methods, upstream, values(request), values(response)};
}
auto values(const Drain& m)
{
    const auto& [timeout, replaced] = m;
    return std::tuple{timeout, replaced};
}
auto values(const Drained& m)
{
    const auto& [finished, cut] = m;
    return std::tuple{finished, cut};
}
auto values(const CertificateSource& m)
{
    const auto& [label, certificate, key, passphrase, names] = m;
    return std::tuple{label, certificate, key, passphrase, names};
}
auto values(const LoadedPair& m)
{
    const auto& [label, from, type, spki, names, not_after] = m;
    return std::tuple{label, from, type, spki, names, not_after};
}
auto values(const Failed& m)
{
    const auto& [code, text] = m;
    return std::tuple{code, text};
}
auto values(const Trapped& m)
{
    return m.call;
}
auto values(const DescribeCertificate& m)
{
    const auto& [index] = m;
    return std::tuple{index};
}
auto values(const Certificate& m)
{
    const auto& [index, key, chain, private_key] = m;
    return std::tuple{index, key, chain, private_key};
}
auto values(const TicketKey& m)
{
    const auto& [name, aes, hmac] = m;
    return std::tuple{name, aes, hmac};
}
auto values(const Changed& m)
{
    const auto& [certificates, tickets, wrong] = m;
    return std::tuple{certificates, tickets, wrong};
}
auto values(const Adopt& m)
{
    const auto& [keys] = m;
    return std::tuple{keys};
}
auto values(const MakeAuthority& m)
{
    const auto& [name] = m;
    return std::tuple{name};
}
auto values(const NotRotated& m)
{
    const auto& [refusals] = m;
    return std::tuple{refusals};
}
auto values(const Sign& m)
{
    const auto& [sequence, certificate, scheme, text] = m;
    return std::tuple{sequence, certificate, scheme, text};
}
auto values(const Signature& m)
{
    const auto& [sequence, signature] = m;
    return std::tuple{sequence, signature};
}
template <typename T>
auto values(const std::vector<T>& list)
{
    std::vector<decltype(values(list.front()))> result;
    for (const T& element : list)
        result.push_back(values(element));
    return result;
}
auto values(const SignalApp& m)
{
    const auto& [number] = m;
    return std::tuple{number};
}
auto values(const StarterFailed& m)
{
    const auto& [code, text] = m;
    return std::tuple{code, text};
}
auto values(const AppStarted& m)
{
    const auto& [pid] = m;
    return std::tuple{pid};
}
auto values(const AppRefused& m)
{
    const auto& [error] = m;
    return std::tuple{error};
}
auto values(const AppEnded& m)
{
    const auto& [status, overdue] = m;
    return std::tuple{status, overdue};
}
auto values(const Loaded& m)
{
    const auto& [locked, pairs, open_files] = m;
    return std::tuple{locked, values(pairs), open_files};
}
auto values(const Tickets& m)
{
    const auto& [keys] = m;
    return std::tuple{values(keys)};
}
template <typename Message>
    requires std::is_empty_v<Message>
auto values(const Message&)
{
    return std::tuple{};
}

template <typename F>
void for_every_message(F check)
{
    std::apply([&](const auto&... message) { (check(message), ...); }, every_message());
}

} // namespace

TEST_CASE("Every message is read as it was written", "[ipc]")
{
    for_every_message([]<typename Message>(const Message& message) {
        const Bytes encoded = encode(message);
        CAPTURE(int{static_cast<unsigned char>(Message::kKind)}, encoded.size());
        const auto decoded = decode<Message>(encoded);
        REQUIRE(decoded);
        CHECK((values(*decoded) == values(message)));
        CHECK(encode(*decoded) == encoded);
        CHECK(encoded.size() <= kMessageMax);
    });
}

TEST_CASE("A message that is cut at any byte is refused", "[ipc]")
{
    for_every_message([]<typename Message>(const Message& message) {
        const Bytes encoded = encode(message);
        for (std::size_t size = 0; size < encoded.size(); ++size) {
            CAPTURE(int{static_cast<unsigned char>(Message::kKind)}, size);
            CHECK_FALSE(decode<Message>(std::span{encoded}.first(size)));
        }
    });
}

TEST_CASE("A message with a byte left over is refused", "[ipc]")
{
    for_every_message([]<typename Message>(const Message& message) {
        Bytes encoded = encode(message);
        encoded.push_back(std::byte{0});
        CAPTURE(int{static_cast<unsigned char>(Message::kKind)});
        CHECK_FALSE(decode<Message>(encoded));
    });
}

TEST_CASE("A message of another kind is refused", "[ipc]")
{
    for_every_message([]<typename Message>(const Message& message) {
        Bytes encoded = encode(message);
        encoded.front() ^= std::byte{0x80};
        CAPTURE(int{static_cast<unsigned char>(Message::kKind)});
        CHECK_FALSE(decode<Message>(encoded));
    });
}

TEST_CASE("The first byte tells the kind, and no byte tells nothing", "[ipc]")
{
    for_every_message([]<typename Message>(const Message& message) {
        CHECK(kind_of<std::remove_const_t<decltype(Message::kKind)>>(encode(message)) == Message::kKind);
    });
    CHECK_FALSE(kind_of<Control>({}));
}

// Every message of control.hpp, keys.hpp and starter.hpp: what is written is what is read, and nothing else is.
#include "sallyport/ipc/control.hpp"
#include "sallyport/ipc/keys.hpp"
#include "sallyport/ipc/starter.hpp"

#include <tuple>

#include "support/catch.hpp"

using namespace sallyport;
using namespace sallyport::ipc;

// A structured binding names every member, so a member that is added does not compile until it is compared here.
namespace {

Bytes bytes(std::initializer_list<int> values)
{
    Bytes result;
    for (const int value : values)
        result.push_back(static_cast<std::byte>(value));
    return result;
}

auto values(const Limits& m)
{
    const auto& [connections, handshake, connect, idle, buffers] = m;
    return std::tuple{connections, handshake, connect, idle, buffers};
}
auto values(const LogSettings& m)
{
    const auto& [level, format, lines, chain, audit] = m;
    return std::tuple{level, format, lines, chain, audit};
}
auto values(const Hello& m)
{
    const auto& [id, log, sandbox, place, shards, limits] = m;
    return std::tuple{id, values(log), sandbox.level, sandbox.seccomp, place, shards, values(limits)};
}
auto values(const Upstream& m)
{
    const auto& [name, address] = m;
    return std::tuple{name, address};
}
auto values(const TlsSettings& m)
{
    const auto& [profile, tickets, lifetime, alpn, certificates] = m;
    return std::tuple{profile, tickets, lifetime, alpn, certificates};
}
auto values(const Listener& m)
{
    const auto& [bind, shared, upstream, tls] = m;
    return std::tuple{bind, shared, upstream, values(tls)};
}
auto values(const Drain& m)
{
    const auto& [timeout] = m;
    return std::tuple{timeout};
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
    const auto& [certificates, tickets] = m;
    return std::tuple{certificates, tickets};
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

Limits limits()
{
    return {.connections_max = 0x01020304,
            .handshake_ms = 0xF1F2F3F4,
            .connect_ms = 3000,
            .idle_ms = 300'000,
            .buffer_bytes_max = 0xFFFFFFFF};
}

TicketKey ticket_key(int fill)
{
    TicketKey key;
    key.name.fill(static_cast<std::byte>(fill));
    key.aes.fill(static_cast<std::byte>(fill + 1));
    key.hmac.fill(static_cast<std::byte>(fill + 2));
    return key;
}

auto every_message()
{
    return std::tuple{
        Hello{.build_id = "1.2.3+abc",
              .log = {1, 2, 8192, "0123456789abcdef", 2},
              .sandbox = {SandboxLevel::required, SeccompMode::log},
              .key_place = KeyPlace::in_worker,
              .shards = 0x0102,
              .limits = limits()},
        Upstream{.name = "app", .address = *SocketAddress::parse("[2001:db8::1]:7766")},
        Listener{.bind = ":443",
                 .shared = true,
                 .upstream = 7,
                 .tls = {.profile = TlsProfile::modern,
                         .tickets = true,
                         .ticket_lifetime_s = 7200,
                         .alpn = {"h2", "", "http/1.1"},
                         .certificates = {3, 1, 0xFFFFFFFF}}},
        KeyChannels{},
        Serve{},
        Drain{.timeout_ms = 25'000},
        Ready{},
        Drained{.finished = 0x0102030405060708, .cut = 0xFFFFFFFFFFFFFFFF},
        CertificateSource{.label = "env:SALLYPORT_CERT",
                          .certificate = {"env:SALLYPORT_CERT", true},
                          .key = {"/k", false},
                          .passphrase = {"fd:3", true},
                          .self_signed_names = {"localhost", "127.0.0.1"}},
        TicketSecret{},
        Load{},
        Loaded{.memory_locked = true,
               .pairs = {{"a", "/k", "EC P-256", "0f", {"x", "y"}, -1}, {"b", "", "Ed25519", "", {}, 4}},
               .open_files = {"/k may be read by everybody"}},
        WorkerChannels{},
        Trapped{.call = 0x01020304},
        Failed{.exit_code = 78, .text = "no\0key"},
        DescribeCertificate{.index = 5},
        Certificate{.index = 5, .key = 9, .chain = {bytes({1, 2}), bytes({}), bytes({255})}, .private_key = bytes({0})},
        DescribeTickets{},
        Tickets{.keys = {ticket_key(1), ticket_key(101)}},
        Changed{.certificates = true, .tickets = false},
        Sign{.sequence = 1, .certificate = 2, .scheme = SignatureScheme::ed25519, .text = bytes({7, 8, 9})},
        Signature{.sequence = 0xFFFFFFFF, .signature = bytes({48, 0})},
        StartApp{},
        SignalApp{.number = 10},
        EndApp{},
        StarterReady{},
        StarterFailed{.exit_code = 71, .text = "no"},
        AppStarted{.pid = 0x01020304},
        AppRefused{.error = 13},
        AppEnded{.status = 0x8B00, .overdue = true},
    };
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

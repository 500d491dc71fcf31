// One message of every kind, no two of whose members are alike.
#pragma once

#include <tuple>

#include "sallyport/ipc/admin.hpp"
#include "sallyport/ipc/authority.hpp"
#include "sallyport/ipc/control.hpp"
#include "sallyport/ipc/keys.hpp"
#include "sallyport/ipc/starter.hpp"

namespace sallyport::ipc::samples {

inline Bytes bytes(std::initializer_list<int> values)
{
    Bytes result;
    for (const int value : values)
        result.push_back(static_cast<std::byte>(value));
    return result;
}

inline Limits limits()
{
    return {.connections_max = 0x01020304,
            .handshake_ms = 0xF1F2F3F4,
            .connect_ms = 3000,
            .idle_ms = 300'000,
            .buffer_bytes_max = 0xFFFFFFFF,
            .http = {1, 2, 3, 4, 0x0102030405060708, 6, 7, 8, 9, 10, 11, 12, 0xFFFFFFFF, 14, 15}};
}

inline Hello hello()
{
    return {.build_id = "1.2.3+abc",
            .log = {1, 2, 8192, "0123456789abcdef", 2},
            .sandbox = {SandboxLevel::required, SeccompMode::log},
            .key_place = KeyPlace::in_worker,
            .shards = 0x0102,
            .limits = limits(),
            .access = {AccessFormat::combined, {"x-tenant", ""}, {"id"}},
            .certificate_check_ms = 0x01020304,
            .wait_for_upstream_ms = 0x05060708};
}

inline NameService name_service()
{
    return {.servers = {*SocketAddress::parse("10.0.0.2:53")},
            .search = {"svc.cluster.local", "cluster.local"},
            .ndots = 5,
            .attempts = 2,
            .timeout_ms = 2000,
            .min_ttl_ms = 1000,
            .max_ttl_ms = 60'000};
}

inline TicketKey ticket_key(int fill)
{
    TicketKey key;
    key.name.fill(static_cast<std::byte>(fill));
    key.aes.fill(static_cast<std::byte>(fill + 1));
    key.hmac.fill(static_cast<std::byte>(fill + 2));
    return key;
}

inline HeaderRules header_rules()
{
    return {.set = {{"X-Set", "1"}, {"X-Empty", ""}}, .add = {{"X-Add", "2"}}, .remove = {"Server", "X-Powered-By"}};
}

inline Listener listener()
{
    return {.bind = ":443",
            .shared = true,
            .mode = Mode::http,
            .upstream = 7,
            .tls = {.profile = TlsProfile::modern,
                    .tickets = true,
                    .ticket_lifetime_s = 7200,
                    .alpn = {"h2", "", "http/1.1"},
                    .certificates = {3, 1, 0xFFFFFFFF}},
            .site = {.otherwise = Otherwise::redirect,
                     .redirect_port = 8443,
                     .forwarded = ForwardedForm::both,
                     .trusted_proxies = {{.address = {std::byte{0x20}, std::byte{0x01}}, .prefix = 32}},
                     .trusts_unix_sockets = true,
                     .hsts = "max-age=63072000",
                     .request = header_rules(),
                     .response = header_rules()},
            .proxy_protocol = {.mode = ProxyHeader::required,
                               .versions = ProxyVersions::v2,
                               .trusted = {{.address = {std::byte{0xfd}}, .prefix = 8}},
                               .trusts_unix_sockets = true,
                               .timeout_ms = 5'000,
                               .size_max = 4'096}};
}

inline auto messages_of_settings()
{
    return std::tuple{
        hello(),
        Figures{.generation = 0x01020304},
        Admin{
            .bind = "unix:@sallyport-1", .checks_peer = true, .uid = 65'532, .timeout_ms = 5000, .connections_max = 16},
        name_service(),
        Upstream{.name = "app",
                 .protocol = AppProtocol::h2c,
                 .addresses = {{.address = *SocketAddress::parse("[2001:db8::1]:7766")},
                               {.host = "app.internal", .port = 7767}},
                 .idle_ms = 4000,
                 .idle_max = 64,
                 .skip_refused_ms = 1000,
                 .proxy_header = SentProxyHeader::v2_crc32c},
        listener(),
        Route{.hosts = {"a.example", "*.b.example"},
              .paths = {"/api"},
              .methods = {"GET", "POST"},
              .upstream = 3,
              .request = header_rules(),
              .response = {}},
    };
}

inline auto every_message()
{
    return std::tuple_cat(
        messages_of_settings(),
        std::tuple{
            KeyChannels{},
            Serve{},
            Unready{},
            Drain{.timeout_ms = 25'000, .replaced = true},
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
            NotRotated{.refusals = 0x0102030405060708},
            MakeAuthority{.name = "dev"},
            AuthorityMade{},
            WorkerChannels{},
            Trapped{.call = 0x01020304},
            Failed{.exit_code = 78, .text = "no\0key"},
            DescribeCertificate{.index = 5},
            Certificate{
                .index = 5, .key = 9, .chain = {bytes({1, 2}), bytes({}), bytes({255})}, .private_key = bytes({0})},
            DescribeTickets{},
            Tickets{.keys = {ticket_key(1), ticket_key(101)}},
            Changed{.certificates = true, .tickets = false, .wrong = 0x01020304},
            Adopt{.keys = {9, 0xFFFFFFFF}},
            Noted{},
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
        });
}

} // namespace sallyport::ipc::samples

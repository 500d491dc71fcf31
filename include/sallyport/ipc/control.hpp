// What the gatekeeper and its two children say to each other: settings and sockets down, readiness and results up.
//
// Gatekeeper → worker:     Hello, Figures (with its pages), Admin (if there is one, with its socket), NameService (if a
//                          name is to be looked up), Upstream*, Listener* (each with its sockets, and followed by its
//                          Route*), KeyChannels (with its sockets), Serve; later KeyChannels again (a new keyholder),
//                          Unready, Drain (again, if a sooner end is wanted).
// Worker → gatekeeper:     Ready once after Serve, or Failed; KeysLost when its key channels end; Drained, and then it
//                          exits.
// Gatekeeper → keyholder:  Hello, CertificateSource* (some with descriptors), TicketSecret (with its memfd), Load;
//                          later WorkerChannels (with its sockets, as often as a worker is born), Load again (SIGHUP).
//                          In place of all that: Hello, MakeAuthority (with its two files).
// Keyholder → gatekeeper:  Loaded or Failed as the answer to each Load; NotRotated when a certificate's files went bad.
// Each child → gatekeeper: Trapped, when its filter has refused it a system call; then it exits.
// An end of file on a control channel means that the other has died: a child then exits.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sallyport/base/socket_address.hpp"
#include "sallyport/ipc/proxy_protocol.hpp"
#include "sallyport/ipc/settings.hpp"
#include "sallyport/ipc/site_settings.hpp"

namespace sallyport::ipc {

enum class Control : std::uint8_t {
    hello = 1,
    upstream,
    listener,
    key_channels,
    serve,
    drain,
    ready,
    drained,
    certificate_source,
    ticket_secret,
    load,
    loaded,
    worker_channels,
    failed,
    keys_lost,
    trapped,
    name_service,
    route,
    unready,
    not_rotated,
    figures,
    admin,
    make_authority,
    authority_made
};

/// The first message to each child. Another build id than its own: the child exits.
struct Hello {
    static constexpr Control kKind = Control::hello;
    std::string build_id;
    LogSettings log;
    SandboxSettings sandbox;
    KeyPlace key_place{};
    std::uint16_t shards{};
    Limits limits;                              ///< for the worker; `connections_max` is of the whole process
    AccessLog access{};                         ///< for the worker
    std::uint32_t certificate_check_ms{30'000}; ///< for the keyholder: how often it looks at files without being told
    std::uint32_t wait_for_upstream_ms{};       ///< for the worker; 0: no client waits for an app

    template <typename A>
    void fields(A& a)
    {
        a(build_id, log, sandbox, key_place, shards, limits, access, certificate_check_ms, wait_for_upstream_ms);
    }
};

/// How names of upstreams are looked up. Sent only if there is a name that needs it, before the upstreams.
struct NameService {
    static constexpr Control kKind = Control::name_service;
    std::vector<SocketAddress> servers{}; ///< asked in this order, by UDP and TCP
    std::vector<std::string> search{};    ///< domains to try
    std::uint32_t ndots{};                ///< a name with fewer dots is tried with the domains first
    std::uint32_t attempts{};             ///< how often each server is asked
    std::uint32_t timeout_ms{};           ///< for the first answer of a server
    std::uint32_t min_ttl_ms{};
    std::uint32_t max_ttl_ms{};

    template <typename A>
    void fields(A& a)
    {
        a(servers, search, ndots, attempts, timeout_ms, min_ttl_ms, max_ttl_ms);
    }
};

/// What is spoken to an app.
enum class AppProtocol : std::uint8_t { http1, h2c };

/// Where an app is: an address, or a name with a port.
struct AppAddress {
    std::string host{}; ///< empty: `address` counts
    std::uint16_t port{};
    SocketAddress address{};

    bool operator==(const AppAddress&) const = default;

    template <typename A>
    void fields(A& a)
    {
        a(host);
        if (host.empty())
            a(address);
        else
            a(port);
    }
};

/// An app. Listeners name it by the order of these messages, from 0.
struct Upstream {
    static constexpr Control kKind = Control::upstream;
    std::string name;
    AppProtocol protocol{};
    std::vector<AppAddress> addresses{}; ///< taken in turn; at least one
    std::uint32_t idle_ms{};             ///< how long an unused connection is kept
    std::uint32_t idle_max{};            ///< how many of them, per shard
    std::uint32_t skip_refused_ms{};     ///< how long an address that refused is passed over
    SentProxyHeader proxy_header{};      ///< not of h2c, whose connections are of many clients; then `idle_max` is 0

    template <typename A>
    void fields(A& a)
    {
        a(name, protocol, addresses, idle_ms, idle_max, skip_refused_ms, proxy_header);
    }
};

enum class TlsProfile : std::uint8_t { intermediate, modern };

/// The TLS policy of one listener.
struct TlsSettings {
    TlsProfile profile{};
    bool tickets{};
    std::uint32_t ticket_lifetime_s{};
    std::vector<std::string> alpn;           ///< offered protocols in order of preference; empty: ALPN is not answered
    std::vector<std::uint32_t> certificates; ///< indexes into the keyholder's sources, the default one first

    template <typename A>
    void fields(A& a)
    {
        a(profile, tickets, ticket_lifetime_s, alpn, certificates);
    }
};

/// tcp: every byte as it comes. http: requests.
enum class Mode : std::uint8_t { tcp, http };

/// One route of the listener before it. An empty list of conditions is none; at least one list is not empty.
struct Route {
    static constexpr Control kKind = Control::route;
    std::vector<std::string> hosts{};
    std::vector<std::string> paths{};
    std::vector<std::string> methods{};
    std::uint32_t upstream{};
    HeaderRules request{};
    HeaderRules response{};

    template <typename A>
    void fields(A& a)
    {
        a(hosts, paths, methods, upstream, request, response);
    }
};

/// A bound, listening address. Its sockets travel with the message: one per shard (SO_REUSEPORT), in shard order, or,
/// if `shared`, a single one that all shards wait on (Unix sockets and inherited ones).
struct Listener {
    static constexpr Control kKind = Control::listener;
    std::string bind; ///< as configured, for the log
    bool shared{};
    Mode mode{};
    std::uint32_t upstream{}; ///< of mode tcp, and of Otherwise::forward
    TlsSettings tls;          ///< without certificates: plaintext, which is of mode http only
    SiteSettings site;        ///< of mode http
    ProxyProtocol proxy_protocol;

    [[nodiscard]] bool is_plaintext() const { return tls.certificates.empty(); }

    template <typename A>
    void fields(A& a)
    {
        a(bind, shared, mode, upstream, tls, site, proxy_protocol);
    }
};

/// The worker's ends towards a (new) keyholder: first the supply channel, then one sign channel per shard.
struct KeyChannels {
    static constexpr Control kKind = Control::key_channels;

    template <typename A>
    void fields(A&)
    {
    }
};

/// "You have everything": confine yourself, build, start to accept, answer Ready.
struct Serve {
    static constexpr Control kKind = Control::serve;

    template <typename A>
    void fields(A&)
    {
    }
};

/// The end has been asked for: no longer ready for whoever asks, but serving as before. Drain follows.
struct Unready {
    static constexpr Control kKind = Control::unready;

    template <typename A>
    void fields(A&)
    {
    }
};

/// Accept until the queues are empty, stop accepting, let live connections end, cut the rest after `timeout_ms`.
/// `replaced`: another generation serves now, so there is no hurry. An idle connection may ask once more, and nobody is
/// told to go who would not come back by itself (a WebSocket). One that is not replaced may follow.
struct Drain {
    static constexpr Control kKind = Control::drain;
    std::uint32_t timeout_ms{}; ///< 0: nothing is cut
    bool replaced{};

    template <typename A>
    void fields(A& a)
    {
        a(timeout_ms, replaced);
    }
};

struct Ready {
    static constexpr Control kKind = Control::ready;

    template <typename A>
    void fields(A&)
    {
    }
};

/// The key channels have ended: with the keyholder, or by it. The worker goes on, and waits for new ones.
struct KeysLost {
    static constexpr Control kKind = Control::keys_lost;
    std::uint32_t introductions{}; ///< how many KeyChannels it has had: newer ones may be on their way

    template <typename A>
    void fields(A& a)
    {
        a(introductions);
    }
};

/// The worker's last word after Drain: what became of the connections that lived then, or came later.
struct Drained {
    static constexpr Control kKind = Control::drained;
    std::uint64_t finished{};
    std::uint64_t cut{};

    template <typename A>
    void fields(A& a)
    {
        a(finished, cut);
    }
};

/// Where one text of a certificate's source is.
struct TextSource {
    std::string name; ///< a path, or, for messages, what the one that travels is called: "env:TLS_KEY". Empty: none
    bool travels{};   ///< as a descriptor, with the message

    bool operator==(const TextSource&) const = default;

    template <typename A>
    void fields(A& a)
    {
        a(name, travels);
    }
};

/// One certificate with its key. Listeners name it by the order of these messages, from 0.
/// With the message travels a descriptor for each text that says so, in the order of the fields: sealed memfds, read
/// from offset 0 by pread(2), so that a restarted keyholder can read them again.
struct CertificateSource {
    static constexpr Control kKind = Control::certificate_source;
    std::string label;                          ///< for log lines: the certificate's name
    TextSource certificate;                     ///< PEM, leaf first; may hold the key as well
    TextSource key;                             ///< PEM
    TextSource passphrase;                      ///< none: the key is not encrypted
    std::vector<std::string> self_signed_names; ///< not empty: make a pair in memory. If there are a certificate and a
                                                ///< key all the same, they are the authority that issues it

    template <typename A>
    void fields(A& a)
    {
        a(label, certificate, key, passphrase, self_signed_names);
    }
};

/// A memfd of the gatekeeper's that outlives keyholders. Empty: write 32 random bytes into it; else read them. The
/// session ticket keys are derived from these, so a restarted keyholder issues the same ones.
struct TicketSecret {
    static constexpr Control kKind = Control::ticket_secret;

    template <typename A>
    void fields(A&)
    {
    }
};

/// Load all pairs, or (later) load them all again. The new set replaces the old one only if every pair is good.
struct Load {
    static constexpr Control kKind = Control::load;

    template <typename A>
    void fields(A&)
    {
    }
};

/// What the audit log says of one loaded pair.
struct LoadedPair {
    std::string label;
    std::string key_from; ///< where the key was read, as TextSource::name; empty: made in memory
    std::string key_type; ///< "EC P-256", "RSA 2048", "Ed25519"
    std::string spki_sha256;
    std::vector<std::string> names;
    std::int64_t not_after{}; ///< seconds since the epoch

    template <typename A>
    void fields(A& a)
    {
        a(label, key_from, key_type, spki_sha256, names, not_after);
    }
};

struct Loaded {
    static constexpr Control kKind = Control::loaded;
    bool memory_locked{}; ///< the secure heap could be locked
    std::vector<LoadedPair> pairs;
    std::vector<std::string> open_files; ///< secrets that others may read, a sentence each; some, if there are many

    template <typename A>
    void fields(A& a)
    {
        a(memory_locked, pairs, open_files);
    }
};

/// Files of certificates have changed to what cannot be used: the pair in force stays.
struct NotRotated {
    static constexpr Control kKind = Control::not_rotated;
    std::uint64_t refusals{}; ///< since the keyholder's start, this one included

    template <typename A>
    void fields(A& a)
    {
        a(refusals);
    }
};

/// The keyholder's ends towards a new worker: first the supply channel, then one sign channel per shard.
struct WorkerChannels {
    static constexpr Control kKind = Control::worker_channels;

    template <typename A>
    void fields(A&)
    {
    }
};

/// Why a child cannot do what it was told: one sentence for the operator, and the exit code it means (ExitCode).
struct Failed {
    static constexpr Control kKind = Control::failed;
    std::uint8_t exit_code{};
    std::string text;

    template <typename A>
    void fields(A& a)
    {
        a(exit_code, text);
    }
};

/// The last word of a child that its own filter has stopped: which system call it tried, by the kernel's number.
struct Trapped {
    static constexpr Control kKind = Control::trapped;
    std::uint32_t call{};

    template <typename A>
    void fields(A& a)
    {
        a(call);
    }
};

} // namespace sallyport::ipc

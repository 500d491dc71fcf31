// What the gatekeeper and its two children say to each other: settings and sockets down, readiness and results up.
//
// Gatekeeper → worker:     Hello, Upstream*, Listener* (each with its sockets), KeyChannels (with its sockets), Serve;
//                          later KeyChannels again (a new keyholder), Drain.
// Worker → gatekeeper:     Ready once after Serve, or Failed; KeysLost when its key channels end; Drained, and then it
//                          exits.
// Gatekeeper → keyholder:  Hello, CertificateSource* (some with descriptors), TicketSecret (with its memfd), Load;
//                          later WorkerChannels (with its sockets, as often as a worker is born), Load again (SIGHUP).
// Keyholder → gatekeeper:  Loaded or Failed as the answer to each Load.
// Each child → gatekeeper: Trapped, when its filter has refused it a system call; then it exits.
// An end of file on a control channel means that the other has died: a child then exits.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sallyport/base/socket_address.hpp"

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
    trapped
};

/// Where private keys live: in the keyholder, or handed to the worker (`keys: in_worker`).
enum class KeyPlace : std::uint8_t { keyholder, in_worker };

/// What a guard that the kernel lacks means: told and done without, fatal, or no guard is asked for.
enum class SandboxLevel : std::uint8_t { enforce, required, none };
/// What becomes of a system call outside the profile.
enum class SeccompMode : std::uint8_t { enforce, log, none };

struct SandboxSettings {
    SandboxLevel level{SandboxLevel::enforce};
    SeccompMode seccomp{SeccompMode::enforce};

    bool operator==(const SandboxSettings&) const = default;

    template <typename A>
    void fields(A& a)
    {
        a(level, seccomp);
    }
};

/// Deadlines in milliseconds, sizes in bytes. Every one is finite and none is 0.
struct Limits {
    std::uint32_t connections_max{};
    std::uint32_t handshake_ms{};
    std::uint32_t connect_ms{};
    std::uint32_t idle_ms{};
    std::uint32_t buffer_bytes_max{}; ///< per shard, what slow readers may hold

    template <typename A>
    void fields(A& a)
    {
        a(connections_max, handshake_ms, connect_ms, idle_ms, buffer_bytes_max);
    }
};

/// How a process logs; the values of log::Level and log::Format.
struct LogSettings {
    std::uint8_t level{};
    std::uint8_t format{};
    std::uint32_t queue_lines{};
    std::string chain;    ///< of the child's audit lines; each child that is born has another one
    std::uint8_t audit{}; ///< where they go, a log::AuditPlace; not 0: the descriptor travels with the message

    template <typename A>
    void fields(A& a)
    {
        a(level, format, queue_lines, chain, audit);
    }
};

/// The first message to each child. Another build id than its own: the child exits.
struct Hello {
    static constexpr Control kKind = Control::hello;
    std::string build_id;
    LogSettings log;
    SandboxSettings sandbox;
    KeyPlace key_place{};
    std::uint16_t shards{};
    Limits limits; ///< for the worker; `connections_max` is of the whole process

    template <typename A>
    void fields(A& a)
    {
        a(build_id, log, sandbox, key_place, shards, limits);
    }
};

/// An app. Listeners name it by the order of these messages, from 0.
struct Upstream {
    static constexpr Control kKind = Control::upstream;
    std::string name;
    SocketAddress address;

    template <typename A>
    void fields(A& a)
    {
        a(name, address);
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

/// A bound, listening address. Its sockets travel with the message: one per shard (SO_REUSEPORT), in shard order, or,
/// if `shared`, a single one that all shards wait on (Unix sockets and inherited ones).
struct Listener {
    static constexpr Control kKind = Control::listener;
    std::string bind; ///< as configured, for the log
    bool shared{};
    std::uint32_t upstream{};
    TlsSettings tls;

    template <typename A>
    void fields(A& a)
    {
        a(bind, shared, upstream, tls);
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

/// Accept until the queues are empty, stop accepting, let live connections end, cut the rest after `timeout_ms`.
struct Drain {
    static constexpr Control kKind = Control::drain;
    std::uint32_t timeout_ms{};

    template <typename A>
    void fields(A& a)
    {
        a(timeout_ms);
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

/// The worker's last word after Drain.
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
    std::vector<std::string> self_signed_names; ///< not empty: make a pair in memory; there is no text

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

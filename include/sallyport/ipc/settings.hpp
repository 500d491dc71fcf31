// How a child is to be, as `Hello` tells it: its cage, its limits and its log.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sallyport::ipc {

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

/// Of `mode: http`. Deadlines in milliseconds, sizes in bytes. Every one is finite and none is 0.
struct HttpLimits {
    std::uint32_t head_bytes{64 * 1024};
    std::uint32_t target_bytes{8 * 1024};
    std::uint32_t fields_max{100};
    std::uint32_t trailer_bytes{8 * 1024};
    std::uint64_t body_bytes_max{16ULL << 30};
    std::uint32_t head_ms{10'000};       ///< until a request's head is through
    std::uint32_t body_ms{30'000};       ///< without a byte of its body, and see site::BodyPace
    std::uint32_t body_rate{500};        ///< bytes a second
    std::uint32_t keep_alive_ms{75'000}; ///< between two requests
    std::uint32_t response_ms{60'000};   ///< from the request's end to the app's response head
    std::uint32_t tunnel_idle_ms{3'600'000};
    std::uint32_t close_ms{2'000};       ///< for our last words
    std::uint32_t linger_idle_ms{5'000}; ///< then: without a byte of a client that is still sending
    std::uint32_t linger_all_ms{30'000}; ///< and in all
    std::uint32_t requests_max{10'000};  ///< per connection
    std::uint32_t streams_max{100};      ///< at once per HTTP/2 connection
    std::uint32_t stream_window{256 * 1024};
    std::uint32_t connection_window{1024 * 1024}; ///< of a client's connection

    bool operator==(const HttpLimits&) const = default;

    template <typename A>
    void fields(A& a)
    {
        a(head_bytes, target_bytes, fields_max, trailer_bytes, body_bytes_max);
        a(head_ms, body_ms, body_rate, keep_alive_ms, response_ms, tunnel_idle_ms, requests_max, streams_max);
        a(close_ms, linger_idle_ms, linger_all_ms);
        a(stream_window, connection_window);
    }
};

/// Deadlines in milliseconds, sizes in bytes. Every one is finite and none is 0.
struct Limits {
    std::uint32_t connections_max{};
    std::uint32_t handshake_ms{};
    std::uint32_t connect_ms{};
    std::uint32_t idle_ms{};
    std::uint32_t buffer_bytes_max{}; ///< per shard, what slow readers may hold
    HttpLimits http{};

    template <typename A>
    void fields(A& a)
    {
        a(connections_max, handshake_ms, connect_ms, idle_ms, buffer_bytes_max, http);
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

/// How exchanges are logged. `structured`: as the other lines are.
enum class AccessFormat : std::uint8_t { structured, common, combined, none };

struct AccessLog {
    AccessFormat format{AccessFormat::structured};
    std::vector<std::string> headers{}; ///< request fields that are logged as well
    std::vector<std::string> redact{};  ///< secret names beside the built-in ones

    template <typename A>
    void fields(A& a)
    {
        a(format, headers, redact);
    }
};

} // namespace sallyport::ipc

// Everything that a worker can make the keyholder do. If it is not a row, it cannot be asked.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "sallyport/ipc/control.hpp"
#include "sallyport/ipc/keys.hpp"

#include "key_ring.hpp"
#include "key_store.hpp"
#include "rate_limit.hpp"
#include "secret_buffer.hpp"
#include "signed_text.hpp"
#include "signing.hpp"

namespace sallyport::keyholder {

/// Seconds since the epoch.
using Clock = std::function<std::int64_t()>;

/// What answers are made of; one per process. The first two never change once a worker is served.
struct Vault {
    ipc::KeyPlace key_place{};
    SecretBuffer ticket_secret;
    KeyRing keys;
    Clock clock;
};

/// The keys that a worker may use: those that were described to it, until it says which of them it uses.
class Claims {
public:
    void describe(std::uint32_t key);
    void adopt(const std::vector<std::uint32_t>& keys);
    [[nodiscard]] const std::vector<std::uint32_t>& keys() const { return keys_; }

private:
    std::vector<std::uint32_t> keys_;
};

/// Where one channel's requests are answered. Borrows: the vault. Thread: the channel's.
struct Desk {
    explicit Desk(const Vault& v) : vault{v}, signer{v.keys} {}

    const Vault& vault;
    Signer signer;
    RateLimit refusals;
    Claims claims; ///< of the supply channel
};

enum class ChannelKind : std::uint8_t { supply, sign };

/// Nothing if the message is malformed. May hold a secret: the caller wipes it.
using Answer = std::optional<ipc::Bytes> (*)(Desk&, std::span<const std::byte> message);

[[nodiscard]] std::optional<ipc::Bytes> answer_describe_certificate(Desk&, std::span<const std::byte> message);
[[nodiscard]] std::optional<ipc::Bytes> answer_describe_tickets(Desk&, std::span<const std::byte> message);
[[nodiscard]] std::optional<ipc::Bytes> answer_adopt(Desk&, std::span<const std::byte> message);
[[nodiscard]] std::optional<ipc::Bytes> answer_sign(Desk&, std::span<const std::byte> message);

/// One request: on which channel it is lawful, how large it may be with its kind, and who answers.
struct Rule {
    ipc::KeyMessage request;
    ChannelKind lawful_on;
    std::size_t size_max;
    Answer answer;
};

// clang-format off
inline constexpr std::array kRules{
    //    request                                lawful on             bytes at most        answered by
    Rule{ ipc::KeyMessage::describe_certificate, ChannelKind::supply,  1 + 4,               &answer_describe_certificate },
    Rule{ ipc::KeyMessage::describe_tickets,     ChannelKind::supply,  1,                   &answer_describe_tickets },
    Rule{ ipc::KeyMessage::adopt,                ChannelKind::supply,  1 + 4 + 4 * kSourcesMax, &answer_adopt },
    Rule{ ipc::KeyMessage::sign,                 ChannelKind::sign,    14 + kSignedTextMax, &answer_sign },
};
// clang-format on

/// More than any lawful request has.
inline constexpr std::size_t kRequestRoom = 2048;

/// The answer to a lawful request. Errors: why it is not one. Then the worker that sent it is compromised, and every
/// channel of it ends; the process lives, because it serves other workers too, and a captured one shall not be able to
/// take the keys from its successor.
[[nodiscard]] std::expected<ipc::Bytes, std::string_view> answer(ChannelKind channel, Desk& desk,
                                                                 std::span<const std::byte> message);

} // namespace sallyport::keyholder

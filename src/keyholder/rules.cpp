#include "rules.hpp"

#include <algorithm>

#include "sallyport/log/log.hpp"

#include "tickets.hpp"

namespace sallyport::keyholder {

namespace {

void log_refusal(Desk& desk, const ipc::Sign& request, std::string_view reason)
{
    const auto suppressed = desk.refusals.admit(desk.vault.clock());
    if (!suppressed) return;
    log::audit("signature refused", {{"reason", reason},
                                     {"key", request.certificate},
                                     {"scheme", static_cast<std::uint32_t>(request.scheme)},
                                     {"text_bytes", request.text.size()},
                                     {"suppressed", *suppressed}});
}

} // namespace

void Claims::describe(std::uint32_t key)
{
    std::erase(keys_, key);
    // A worker that never says what it uses keeps the newest.
    if (keys_.size() >= kReplacedKeysMax * kSourcesMax) keys_.erase(keys_.begin());
    keys_.push_back(key);
}

/// What was described by an earlier keyholder is none of ours.
void Claims::adopt(const std::vector<std::uint32_t>& keys)
{
    std::erase_if(keys_, [&](std::uint32_t key) { return std::ranges::find(keys, key) == keys.end(); });
}

std::optional<ipc::Bytes> answer_describe_certificate(Desk& desk, std::span<const std::byte> message)
{
    const auto request = ipc::decode<ipc::DescribeCertificate>(message);
    if (!request) return std::nullopt;
    const auto sets = desk.vault.keys.sets();
    if (!sets->current || request->index >= sets->current->size()) return std::nullopt;
    const KeyPair& pair = *(*sets->current)[request->index];
    const std::uint32_t name = key_name(request->index, pair);
    desk.claims.describe(name);
    ipc::Certificate certificate{.index = request->index, .key = name, .chain = pair.chain, .private_key = {}};
    if (desk.vault.key_place == ipc::KeyPlace::in_worker) certificate.private_key = to_pkcs8(*pair.key);
    return ipc::encode(std::move(certificate));
}

std::optional<ipc::Bytes> answer_describe_tickets(Desk& desk, std::span<const std::byte> message)
{
    if (!ipc::decode<ipc::DescribeTickets>(message)) return std::nullopt;
    const auto secret = desk.vault.ticket_secret.bytes().first<kTicketSecretSize>();
    return ipc::encode(ipc::Tickets{ticket_ring(secret, desk.vault.clock())});
}

std::optional<ipc::Bytes> answer_adopt(Desk& desk, std::span<const std::byte> message)
{
    const auto request = ipc::decode<ipc::Adopt>(message);
    if (!request) return std::nullopt;
    desk.claims.adopt(request->keys);
    return ipc::encode(ipc::Noted{});
}

std::optional<ipc::Bytes> answer_sign(Desk& desk, std::span<const std::byte> message)
{
    const auto request = ipc::decode<ipc::Sign>(message);
    if (!request) return std::nullopt;
    auto signature = desk.signer.sign(*request);
    if (!signature) log_refusal(desk, *request, signature.error());
    return ipc::encode(ipc::Signature{request->sequence, signature ? *std::move(signature) : ipc::Bytes{}});
}

std::expected<ipc::Bytes, std::string_view> answer(ChannelKind channel, Desk& desk, std::span<const std::byte> message)
{
    const auto kind = ipc::kind_of<ipc::KeyMessage>(message);
    if (!kind) return std::unexpected{"an empty message"};
    const auto* rule = std::ranges::find(kRules, *kind, &Rule::request);
    if (rule == kRules.end()) return std::unexpected{"a request that does not exist"};
    if (rule->lawful_on != channel) return std::unexpected{"a request that is not lawful on this channel"};
    if (message.size() > rule->size_max) return std::unexpected{"a request above its size limit"};
    auto answered = rule->answer(desk, message);
    if (!answered) return std::unexpected{"a malformed request"};
    return *std::move(answered);
}

} // namespace sallyport::keyholder

#include "sallyport/tls/server_contexts.hpp"

#include <new>
#include <optional>
#include <utility>
#include <vector>

#include <openssl/ssl.h>

#include "certificate_pair.hpp"
#include "context_plan.hpp"
#include "negotiation.hpp"
#include "policy.hpp"
#include "rehearsal.hpp"
#include "sallyport/crypto/openssl_error.hpp"

namespace sallyport::tls {
namespace {

struct FreeStack {
    void operator()(STACK_OF(X509) * stack) const { sk_X509_free(stack); } // not what is in it
};
using IssuerStack = std::unique_ptr<STACK_OF(X509), FreeStack>;

/// The pairs of a listener, the default one first, and the index of each at the keyholder.
using Pairs = std::vector<std::pair<std::uint32_t, CertificatePair>>;

std::expected<Pairs, std::string> load_pairs(const ipc::TlsSettings& settings, const Credentials& credentials)
{
    Pairs pairs;
    for (const std::uint32_t index : settings.certificates) {
        if (index >= credentials.certificates.size()) return certificate_error(index, "the keyholder has none");
        std::expected<CertificatePair, std::string> pair = load_pair(credentials.certificates[index]);
        if (!pair) return std::unexpected{pair.error()};
        pairs.emplace_back(index, std::move(*pair));
    }
    if (pairs.empty()) return std::unexpected{"the listener has no certificate"};
    return pairs;
}

ContextPlan plan_for(const Pairs& pairs)
{
    std::vector<CertificateNames> names;
    for (const auto& [index, pair] : pairs)
        names.push_back({pair.kind, pair.names});
    return plan_contexts(names);
}

bool use_pair(SSL_CTX* context, const CertificatePair& pair)
{
    const IssuerStack issuers{sk_X509_new_null()};
    for (const crypto::X509Handle& issuer : pair.issuers)
        if (sk_X509_push(issuers.get(), issuer.get()) <= 0) return false;
    constexpr int kOverride = 1;
    return SSL_CTX_use_cert_and_key(context, pair.leaf.get(), pair.key.get(), issuers.get(), kOverride) == 1;
}

std::expected<SslContextHandle, std::string> context_for(const CertificateSet& set, const Pairs& pairs,
                                                         const ipc::TlsSettings& settings, bool tickets)
{
    std::expected<SslContextHandle, std::string> context = make_context(settings, tickets);
    for (const std::size_t position : set) {
        if (!context) break;
        const auto& [index, pair] = pairs[position];
        if (!use_pair(context->get(), pair)) return certificate_error(index, crypto::take_error_text());
    }
    return context;
}

/// In the plan's order: the first is the initial one.
std::expected<std::vector<SslContextHandle>, std::string> make_contexts(const ContextPlan& plan, const Pairs& pairs,
                                                                        const ipc::TlsSettings& settings, bool tickets)
{
    std::vector<SslContextHandle> contexts;
    for (const CertificateSet& set : plan.sets) {
        std::expected<SslContextHandle, std::string> context = context_for(set, pairs, settings, tickets);
        if (!context) return std::unexpected{context.error()};
        contexts.push_back(std::move(*context));
    }
    return contexts;
}

/// Which signatures a client must know to be shown a certificate of this kind, and no other one of its set.
const char* signatures_of(KeyKind kind)
{
    switch (kind) {
    case KeyKind::rsa:
        return "rsa_pss_rsae_sha256";
    case KeyKind::rsa_pss:
        return "rsa_pss_pss_sha256";
    case KeyKind::ed25519:
        return "ed25519";
    case KeyKind::ec:
        break;
    }
    return "ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384";
}

std::vector<ShownCertificate> shown_by(const std::vector<SslContextHandle>& contexts, const ContextPlan& plan,
                                       const Pairs& pairs)
{
    std::vector<ShownCertificate> shown;
    for (std::size_t set = 0; set < contexts.size(); ++set)
        for (const std::size_t position : plan.sets[set]) {
            const auto& [index, pair] = pairs[position];
            shown.push_back({contexts[set].get(), index, signatures_of(pair.kind), crypto::share(pair.leaf)});
        }
    return shown;
}

/// Ties the contexts together; what is left to hold is the initial one.
SslContextHandle connect(std::vector<SslContextHandle> contexts, const ContextPlan& plan,
                         const ipc::TlsSettings& settings, const Credentials& credentials)
{
    auto negotiation = std::make_unique<Negotiation>(settings.alpn, credentials.tickets);
    for (const auto& [name, set] : plan.names)
        negotiation->names.add(name, contexts[set].get());
    negotiation->initial = contexts.front().get();
    for (const SslContextHandle& context : contexts)
        if (!consult(context.get(), *negotiation)) throw std::bad_alloc{};

    SslContextHandle initial = std::move(contexts.front());
    contexts.erase(contexts.begin());
    negotiation->others = std::move(contexts);
    if (!own(initial.get(), std::move(negotiation))) throw std::bad_alloc{};
    return initial;
}

} // namespace

std::expected<ServerContexts, std::string> ServerContexts::build(const ipc::TlsSettings& settings,
                                                                 const Credentials& credentials)
{
    const std::expected<Pairs, std::string> pairs = load_pairs(settings, credentials);
    if (!pairs) return std::unexpected{pairs.error()};
    const ContextPlan plan = plan_for(*pairs);
    const bool tickets = settings.tickets && !credentials.tickets.empty();
    std::expected<std::vector<SslContextHandle>, std::string> contexts = make_contexts(plan, *pairs, settings, tickets);
    if (!contexts) return std::unexpected{contexts.error()};
    auto shown = shown_by(*contexts, plan, *pairs);
    return ServerContexts{connect(std::move(*contexts), plan, settings, credentials), std::move(shown)};
}

std::expected<void, std::string> ServerContexts::rehearse(std::size_t which) const
{
    const ShownCertificate& shown = shown_.at(which);
    auto rehearsed = rehearse_handshake(*shown.context, *shown.leaf, shown.signatures);
    if (!rehearsed) return certificate_error(shown.index, "a rehearsed handshake failed: " + rehearsed.error());
    return {};
}

SslHandle ServerContexts::new_session() const
{
    SslHandle ssl{SSL_new(initial_.get())};
    if (!ssl) throw std::bad_alloc{};
    SSL_set_accept_state(ssl.get());
    return ssl;
}

bool answers_alike(const ssl_st* ssl, std::string_view host)
{
    const SSL_CTX* const answered = SSL_get_SSL_CTX(ssl);
    const Negotiation& negotiation = negotiation_of(answered);
    const auto other = negotiation.names.find(host);
    return (other ? *other : negotiation.initial) == answered;
}

void ServerContexts::use_tickets(std::span<const ipc::TicketKey> keys)
{
    negotiation_of(initial_.get()).tickets.replace(keys);
}

} // namespace sallyport::tls

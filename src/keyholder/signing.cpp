#include "signing.hpp"

#include <algorithm>

#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "sallyport/crypto/openssl_error.hpp"

#include "signed_text.hpp"

namespace sallyport::keyholder {

namespace {

using ipc::SignatureScheme;

struct Method {
    SignatureScheme scheme;
    const char* digest; ///< nullptr: the scheme has its own
    bool is_pss;
};
constexpr std::array kMethods{
    Method{SignatureScheme::rsa_pkcs1_sha256, "SHA256", false},
    Method{SignatureScheme::rsa_pkcs1_sha384, "SHA384", false},
    Method{SignatureScheme::rsa_pkcs1_sha512, "SHA512", false},
    Method{SignatureScheme::rsa_pss_sha256, "SHA256", true},
    Method{SignatureScheme::rsa_pss_sha384, "SHA384", true},
    Method{SignatureScheme::rsa_pss_sha512, "SHA512", true},
    Method{SignatureScheme::ecdsa_sha256, "SHA256", false},
    Method{SignatureScheme::ecdsa_sha384, "SHA384", false},
    Method{SignatureScheme::ecdsa_sha512, "SHA512", false},
    Method{SignatureScheme::ed25519, nullptr, false},
};

const Method& method_of(SignatureScheme scheme)
{
    return *std::ranges::find(kMethods, scheme, &Method::scheme);
}

bool set_pss(EVP_PKEY_CTX* parameters)
{
    return EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) == 1;
}

std::optional<ipc::Bytes> finish(EVP_MD_CTX* digest, const evp_pkey_st& key, const ipc::Bytes& text)
{
    ipc::Bytes signature(static_cast<std::size_t>(EVP_PKEY_get_size(&key)));
    std::size_t size = signature.size();
    auto* into = reinterpret_cast<unsigned char*>(signature.data());
    const auto* from = reinterpret_cast<const unsigned char*>(text.data());
    if (EVP_DigestSign(digest, into, &size, from, text.size()) != 1) return std::nullopt;
    signature.resize(size);
    return signature;
}

} // namespace

std::expected<void, std::string_view> check_lawful(KeyType key, SignatureScheme scheme, std::span<const std::byte> text)
{
    const auto* row =
        std::ranges::find_if(kLawful, [&](const Lawful& l) { return l.scheme == scheme && l.key == key; });
    if (row == kLawful.end()) return std::unexpected{"the key's type does not know this scheme"};
    const auto form = form_of(text);
    if (!form) return std::unexpected{form.error()};
    const bool lawful = *form == TextForm::tls13_certificate_verify ? row->tls13 : row->tls12;
    if (!lawful) return std::unexpected{"this TLS version does not allow the scheme for this key"};
    return {};
}

std::expected<ipc::Bytes, std::string_view> Signer::sign(const ipc::Sign& request)
{
    refresh();
    const auto pair = sets_->find(request.certificate);
    if (!pair) return std::unexpected{"no such certificate"};
    if (const auto lawful = check_lawful(pair->type, request.scheme, request.text); !lawful)
        return std::unexpected{lawful.error()};

    Context& context = contexts_[{pair.get(), request.scheme}];
    context.pair = pair;
    if (begin(context, request.scheme))
        if (auto signature = finish(context.digest.get(), *pair->key, request.text)) return *std::move(signature);
    static_cast<void>(crypto::take_error());
    contexts_.erase({pair.get(), request.scheme});
    return std::unexpected{"OpenSSL could not sign"};
}

void Signer::refresh()
{
    const std::uint64_t version = keys_.version();
    if (sets_ && version == version_) return;
    contexts_.clear();
    sets_ = keys_.sets();
    version_ = version;
}

bool Signer::begin(Context& context, SignatureScheme scheme)
{
    const Method& method = method_of(scheme);
    EVP_PKEY_CTX* parameters = nullptr;
    bool begun = false;
    if (context.digest) {
        // Without a key and a digest: once more with those it has.
        begun =
            EVP_DigestSignInit_ex(context.digest.get(), &parameters, nullptr, nullptr, nullptr, nullptr, nullptr) == 1;
    } else {
        context.digest.reset(EVP_MD_CTX_new());
        begun = EVP_DigestSignInit_ex(context.digest.get(), &parameters, method.digest, nullptr, nullptr,
                                      context.pair->key.get(), nullptr) == 1;
    }
    return begun && (!method.is_pss || set_pss(parameters));
}

} // namespace sallyport::keyholder

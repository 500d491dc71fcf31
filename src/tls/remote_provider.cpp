// After OpenSSL's provider(7), provider-keymgmt(7) and provider-signature(7). Two rules decide what is here and what is
// not. Nothing but DIGEST_SIGN signs, so the full text always reaches the keyholder, never a digest of it. And whatever
// is asked about a key is answered by the default provider from the public half, so nothing is done twice.
#include "remote_provider.hpp"

#include <array>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string_view>

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "sallyport/tls/sign_channel.hpp"
#include "signature_scheme.hpp"

namespace sallyport::tls {
namespace {

struct RemoteKey {
    std::uint32_t name{};
    KeyKind kind{};
    std::size_t signature_max{};
    crypto::KeyHandle public_half;
};

/// One signature that is being prepared. Borrows the key: OpenSSL keeps it alive meanwhile.
struct Signing {
    const RemoteKey* key{};
    Hash hash{};
    Padding padding{};
};

/// What the next import on this thread may take: a key is made by `remote_key` and by nobody else.
struct Construction {
    std::uint32_t name;
    EVP_PKEY* public_half;
};
thread_local const Construction* construction = nullptr;

// ---- keys

OSSL_FUNC_keymgmt_new_fn new_key;
OSSL_FUNC_keymgmt_free_fn free_key;
OSSL_FUNC_keymgmt_has_fn key_has;
OSSL_FUNC_keymgmt_get_params_fn key_parameters;
OSSL_FUNC_keymgmt_gettable_params_fn key_parameter_list;
OSSL_FUNC_keymgmt_import_fn import_key;
OSSL_FUNC_keymgmt_import_types_fn import_list;
OSSL_FUNC_keymgmt_export_fn export_key;
OSSL_FUNC_keymgmt_export_types_fn export_list;
OSSL_FUNC_keymgmt_query_operation_name_fn operation_name;

void* new_key(void*)
{
    return new (std::nothrow) RemoteKey;
}

void free_key(void* key)
{
    const std::unique_ptr<RemoteKey> owner{static_cast<RemoteKey*>(key)};
}

int key_has(const void* key, int)
{
    return key != nullptr && static_cast<const RemoteKey*>(key)->public_half ? 1 : 0;
}

int key_parameters(void* key, OSSL_PARAM parameters[])
{
    return EVP_PKEY_get_params(static_cast<RemoteKey*>(key)->public_half.get(), parameters);
}

const OSSL_PARAM* key_parameter_list(void*)
{
    static const OSSL_PARAM list[]{OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, nullptr),
                                   OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, nullptr),
                                   OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, nullptr),
                                   OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, nullptr, 0),
                                   OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_DEFAULT_DIGEST, nullptr, 0),
                                   OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_MANDATORY_DIGEST, nullptr, 0),
                                   OSSL_PARAM_END};
    return list;
}

/// A foreign key has no name, and a name without a construction is nobody's: both stay with their own provider.
int import_key(void* keydata, int, const OSSL_PARAM parameters[])
{
    const OSSL_PARAM* parameter = OSSL_PARAM_locate_const(parameters, kNameParameter);
    std::uint32_t name = 0;
    if (parameter == nullptr || OSSL_PARAM_get_uint32(parameter, &name) != 1) return 0;
    if (construction == nullptr || construction->name != name) return 0;
    const std::optional<KeyKind> kind = kind_of(*construction->public_half);
    if (!kind || EVP_PKEY_up_ref(construction->public_half) != 1) return 0;

    auto& key = *static_cast<RemoteKey*>(keydata);
    key.name = name;
    key.kind = *kind;
    key.public_half.reset(construction->public_half);
    key.signature_max = static_cast<std::size_t>(EVP_PKEY_get_size(construction->public_half));
    return 1;
}

const OSSL_PARAM* import_list(int)
{
    static const OSSL_PARAM list[]{OSSL_PARAM_uint32(kNameParameter, nullptr), OSSL_PARAM_END};
    return list;
}

/// libssl compares the key with its certificate this way. Whoever asks for the private part gets nothing: else the
/// default provider would try to sign with half a key.
int export_key(void* key, int selection, OSSL_CALLBACK* callback, void* argument)
{
    if ((selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0) return 0;
    return EVP_PKEY_export(static_cast<RemoteKey*>(key)->public_half.get(), selection, callback, argument);
}

const OSSL_PARAM* export_list(int selection)
{
    static const OSSL_PARAM list[]{OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, nullptr, 0), OSSL_PARAM_END};
    return (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0 ? nullptr : list;
}

const char* operation_name(int operation)
{
    return operation == OSSL_OP_SIGNATURE ? kSignatureName : nullptr;
}

// ---- signatures

OSSL_FUNC_signature_newctx_fn new_signing;
OSSL_FUNC_signature_freectx_fn free_signing;
OSSL_FUNC_signature_digest_sign_init_fn start_signing;
OSSL_FUNC_signature_digest_sign_fn sign;
OSSL_FUNC_signature_set_ctx_params_fn set_signing_parameters;
OSSL_FUNC_signature_settable_ctx_params_fn signing_parameter_list;

void* new_signing(void*, const char*)
{
    return new (std::nothrow) Signing;
}

void free_signing(void* signing)
{
    const std::unique_ptr<Signing> owner{static_cast<Signing*>(signing)};
}

/// Called twice for a handshake: libssl asks whether the digest would do, then means it. So nothing is sent here.
int start_signing(void* context, const char* digest, void* key, const OSSL_PARAM parameters[])
{
    auto& signing = *static_cast<Signing*>(context);
    if (key != nullptr) signing.key = static_cast<const RemoteKey*>(key);
    const std::optional<Hash> hash = parse_hash(digest != nullptr ? digest : "");
    if (signing.key == nullptr || !hash) return 0;
    signing.hash = *hash;
    signing.padding = default_padding(signing.key->kind);
    if (!scheme_for(signing.key->kind, signing.hash, signing.padding)) return 0;
    return set_signing_parameters(context, parameters);
}

bool is_text(const OSSL_PARAM& parameter, std::string_view expected)
{
    const char* text = nullptr;
    return OSSL_PARAM_get_utf8_string_ptr(&parameter, &text) == 1 && text != nullptr && text == expected;
}

std::optional<Padding> read_padding(const OSSL_PARAM& parameter)
{
    int mode = 0;
    if (parameter.data_type == OSSL_PARAM_UTF8_STRING) {
        if (is_text(parameter, OSSL_PKEY_RSA_PAD_MODE_PSS)) return Padding::pss;
        if (is_text(parameter, OSSL_PKEY_RSA_PAD_MODE_PKCSV15)) return Padding::pkcs1;
    } else if (OSSL_PARAM_get_int(&parameter, &mode) == 1) {
        if (mode == RSA_PKCS1_PSS_PADDING) return Padding::pss;
        if (mode == RSA_PKCS1_PADDING) return Padding::pkcs1;
    }
    return std::nullopt;
}

/// TLS knows one length only, the digest's (RFC 8446 §4.2.3), and so does the keyholder.
bool is_digest_salt(const OSSL_PARAM& parameter)
{
    int length = 0;
    if (parameter.data_type == OSSL_PARAM_UTF8_STRING) return is_text(parameter, OSSL_PKEY_RSA_PSS_SALT_LEN_DIGEST);
    return OSSL_PARAM_get_int(&parameter, &length) == 1 && length == RSA_PSS_SALTLEN_DIGEST;
}

int set_signing_parameters(void* context, const OSSL_PARAM parameters[])
{
    auto& signing = *static_cast<Signing*>(context);
    if (parameters == nullptr || parameters->key == nullptr) return 1;
    if (const OSSL_PARAM* mode = OSSL_PARAM_locate_const(parameters, OSSL_SIGNATURE_PARAM_PAD_MODE)) {
        const std::optional<Padding> padding = read_padding(*mode);
        if (!padding || !scheme_for(signing.key->kind, signing.hash, *padding)) return 0;
        signing.padding = *padding;
    }
    const OSSL_PARAM* salt = OSSL_PARAM_locate_const(parameters, OSSL_SIGNATURE_PARAM_PSS_SALTLEN);
    return salt == nullptr || is_digest_salt(*salt) ? 1 : 0;
}

const OSSL_PARAM* signing_parameter_list(void*, void*)
{
    static const OSSL_PARAM list[]{OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, nullptr, 0),
                                   OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, nullptr, 0),
                                   OSSL_PARAM_END};
    return list;
}

int raise(RemoteKeyError reason)
{
    ERR_raise(ERR_LIB_USER, static_cast<int>(reason));
    return 0;
}

/// Memory that runs out ends the process: an exception must not go through OpenSSL's frames.
Result<ipc::Bytes> ask_keyholder(const Signing& signing, std::span<const unsigned char> text) noexcept
{
    const std::optional<ipc::SignatureScheme> scheme = scheme_for(signing.key->kind, signing.hash, signing.padding);
    SignChannel* channel = current_sign_channel();
    if (!scheme || channel == nullptr) return fail(Fault::internal, Side::self, "signing without a channel");
    return channel->sign(signing.key->name, *scheme, std::as_bytes(text));
}

int sign(void* context, unsigned char* signature, std::size_t* size, std::size_t room, const unsigned char* text,
         std::size_t text_size)
{
    const auto& signing = *static_cast<const Signing*>(context);
    if (signature == nullptr) {
        *size = signing.key->signature_max;
        return 1;
    }
    const Result<ipc::Bytes> made = ask_keyholder(signing, {text, text_size});
    if (!made && made.error().fault == Fault::forbidden) return raise(RemoteKeyError::refused);
    if (!made || made->size() > room) return raise(RemoteKeyError::unavailable);
    std::memcpy(signature, made->data(), made->size());
    *size = made->size();
    return 1;
}

// ---- tables

template <typename Function>
OSSL_DISPATCH row(int id, Function* function)
{
    return {id, reinterpret_cast<void (*)()>(function)};
}

const OSSL_ALGORITHM* keys()
{
    static const std::array functions{row(OSSL_FUNC_KEYMGMT_NEW, new_key),
                                      row(OSSL_FUNC_KEYMGMT_FREE, free_key),
                                      row(OSSL_FUNC_KEYMGMT_HAS, key_has),
                                      row(OSSL_FUNC_KEYMGMT_GET_PARAMS, key_parameters),
                                      row(OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, key_parameter_list),
                                      row(OSSL_FUNC_KEYMGMT_IMPORT, import_key),
                                      row(OSSL_FUNC_KEYMGMT_IMPORT_TYPES, import_list),
                                      row(OSSL_FUNC_KEYMGMT_EXPORT, export_key),
                                      row(OSSL_FUNC_KEYMGMT_EXPORT_TYPES, export_list),
                                      row(OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, operation_name),
                                      OSSL_DISPATCH{0, nullptr}};
    static constexpr const char* kProperty = "provider=sallyport-remote";
    // libssl asks EVP_PKEY_is_a(key, "EC"), so the names are the default provider's.
    static const std::array algorithms{
        OSSL_ALGORITHM{"EC:id-ecPublicKey:1.2.840.10045.2.1", kProperty, functions.data(), nullptr},
        OSSL_ALGORITHM{"RSA:rsaEncryption:1.2.840.113549.1.1.1", kProperty, functions.data(), nullptr},
        OSSL_ALGORITHM{"RSA-PSS:RSASSA-PSS:1.2.840.113549.1.1.10", kProperty, functions.data(), nullptr},
        OSSL_ALGORITHM{"ED25519:1.3.101.112", kProperty, functions.data(), nullptr},
        OSSL_ALGORITHM{nullptr, nullptr, nullptr, nullptr}};
    return algorithms.data();
}

const OSSL_ALGORITHM* signatures()
{
    static const std::array functions{row(OSSL_FUNC_SIGNATURE_NEWCTX, new_signing),
                                      row(OSSL_FUNC_SIGNATURE_FREECTX, free_signing),
                                      row(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, start_signing),
                                      row(OSSL_FUNC_SIGNATURE_DIGEST_SIGN, sign),
                                      row(OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, set_signing_parameters),
                                      row(OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, signing_parameter_list),
                                      OSSL_DISPATCH{0, nullptr}};
    static const std::array algorithms{
        OSSL_ALGORITHM{kSignatureName, "provider=sallyport-remote", functions.data(), nullptr},
        OSSL_ALGORITHM{nullptr, nullptr, nullptr, nullptr}};
    return algorithms.data();
}

OSSL_FUNC_provider_query_operation_fn query_operation;

const OSSL_ALGORITHM* query_operation(void*, int operation, int* no_cache)
{
    *no_cache = 0;
    if (operation == OSSL_OP_KEYMGMT) return keys();
    if (operation == OSSL_OP_SIGNATURE) return signatures();
    return nullptr;
}

} // namespace

int start_remote_provider(const OSSL_CORE_HANDLE*, const OSSL_DISPATCH*, const OSSL_DISPATCH** out, void** context)
{
    static const std::array functions{row(OSSL_FUNC_PROVIDER_QUERY_OPERATION, query_operation),
                                      OSSL_DISPATCH{0, nullptr}};
    static int not_null = 0; // OpenSSL 3.0 takes an empty context for a failure
    *out = functions.data();
    *context = &not_null;
    return 1;
}

crypto::KeyHandle remote_key(const x509_st& leaf, std::uint32_t name)
{
    EVP_PKEY* public_half = X509_get0_pubkey(&leaf);
    if (public_half == nullptr || !kind_of(*public_half)) return {};
    const Construction mine{name, public_half};
    construction = &mine;

    std::array parameters{OSSL_PARAM_construct_uint32(kNameParameter, &name), OSSL_PARAM_construct_end()};
    const crypto::KeyContext context{
        EVP_PKEY_CTX_new_from_name(nullptr, EVP_PKEY_get0_type_name(public_half), "provider=sallyport-remote")};
    EVP_PKEY* key = nullptr;
    if (context && EVP_PKEY_fromdata_init(context.get()) == 1)
        EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_KEYPAIR, parameters.data());
    construction = nullptr;
    return crypto::KeyHandle{key};
}

} // namespace sallyport::tls

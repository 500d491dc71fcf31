#include "ticket_ring.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

namespace sallyport::tls {
namespace {

template <std::size_t N>
const unsigned char* raw(const std::array<std::byte, N>& bytes)
{
    return reinterpret_cast<const unsigned char*>(bytes.data());
}

/// Fetched once: a fetch by name at every ticket costs more than its encryption.
const EVP_CIPHER* ticket_cipher()
{
    static const EVP_CIPHER* cipher = EVP_CIPHER_fetch(nullptr, "AES-256-CBC", nullptr);
    return cipher;
}

bool start_mac(EVP_MAC_CTX* mac, const ipc::TicketKey& key)
{
    static std::string digest = "SHA256";
    const std::array parameters{OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), digest.size()),
                                OSSL_PARAM_construct_end()};
    return EVP_MAC_init(mac, raw(key.hmac), key.hmac.size(), parameters.data()) == 1;
}

} // namespace

void TicketRing::replace(std::span<const ipc::TicketKey> keys)
{
    if (keys.empty()) return;
    wipe();
    keys_.assign(keys.begin(), keys.end());
}

bool TicketRing::seal(std::span<unsigned char, 16> name, std::span<unsigned char, 16> iv, EVP_CIPHER_CTX* cipher,
                      EVP_MAC_CTX* mac) const
{
    const ipc::TicketKey& key = keys_.front();
    std::memcpy(name.data(), key.name.data(), name.size());
    return RAND_bytes(iv.data(), static_cast<int>(iv.size())) == 1 &&
           EVP_EncryptInit_ex2(cipher, ticket_cipher(), raw(key.aes), iv.data(), nullptr) == 1 && start_mac(mac, key);
}

TicketRing::Opened TicketRing::open(std::span<const unsigned char, 16> name, std::span<const unsigned char, 16> iv,
                                    EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac) const
{
    const auto key = std::ranges::find_if(
        keys_, [&](const ipc::TicketKey& k) { return std::memcmp(k.name.data(), name.data(), name.size()) == 0; });
    if (key == keys_.end()) return Opened::unknown_key;
    if (EVP_DecryptInit_ex2(cipher, ticket_cipher(), raw(key->aes), iv.data(), nullptr) != 1 || !start_mac(mac, *key))
        return Opened::failed;
    return key == keys_.begin() ? Opened::with_current_key : Opened::with_older_key;
}

void TicketRing::wipe()
{
    OPENSSL_cleanse(keys_.data(), keys_.size() * sizeof(ipc::TicketKey));
}

} // namespace sallyport::tls

#include "tickets.hpp"

#include <cstring>
#include <memory>
#include <new>
#include <string_view>

#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "sallyport/sys/secret_memory_file.hpp"

namespace sallyport::keyholder {

namespace {

using Secret = std::span<const std::byte, kTicketSecretSize>;

// A change of the derivation changes this label, so that no two derivations share a key.
constexpr std::string_view kLabel = "sallyport session tickets 1";

struct FreeKdf {
    void operator()(EVP_KDF* kdf) const noexcept { EVP_KDF_free(kdf); }
    void operator()(EVP_KDF_CTX* context) const noexcept { EVP_KDF_CTX_free(context); }
};

std::array<unsigned char, kLabel.size() + sizeof(std::uint64_t)> info_of(std::int64_t epoch)
{
    std::array<unsigned char, kLabel.size() + sizeof(std::uint64_t)> info{};
    std::memcpy(info.data(), kLabel.data(), kLabel.size());
    auto rest = static_cast<std::uint64_t>(epoch);
    for (std::size_t i = info.size(); i-- > kLabel.size(); rest >>= 8U)
        info[i] = static_cast<unsigned char>(rest & 0xffU);
    return info;
}

bool derive(Secret secret, std::int64_t epoch, std::span<unsigned char> into)
{
    const std::unique_ptr<EVP_KDF, FreeKdf> kdf{EVP_KDF_fetch(nullptr, OSSL_KDF_NAME_HKDF, nullptr)};
    const std::unique_ptr<EVP_KDF_CTX, FreeKdf> context{EVP_KDF_CTX_new(kdf.get())};
    std::array<unsigned char, kTicketSecretSize> key{};
    std::memcpy(key.data(), secret.data(), key.size());
    auto info = info_of(epoch);
    std::string digest = "SHA256";
    const std::array parameters{
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, key.data(), key.size()),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info.data(), info.size()),
        OSSL_PARAM_construct_end(),
    };
    const bool derived = EVP_KDF_derive(context.get(), into.data(), into.size(), parameters.data()) == 1;
    explicit_bzero(key.data(), key.size());
    return derived;
}

ipc::TicketKey ticket_key(Secret secret, std::int64_t epoch)
{
    ipc::TicketKey key;
    std::array<unsigned char, sizeof key.name + sizeof key.aes + sizeof key.hmac> material{};
    if (!derive(secret, epoch, material)) throw std::bad_alloc{};
    std::memcpy(key.name.data(), material.data(), key.name.size());
    std::memcpy(key.aes.data(), &material[key.name.size()], key.aes.size());
    std::memcpy(key.hmac.data(), &material[key.name.size() + key.aes.size()], key.hmac.size());
    explicit_bzero(material.data(), material.size());
    return key;
}

std::unexpected<Problem> unusable(std::string_view what)
{
    return std::unexpected{Problem{ExitCode::os_error, "the ticket secret: " + std::string{what}}};
}

Checked<SecretBuffer> draw(int fd)
{
    SecretBuffer secret{kTicketSecretSize};
    secret.set_size(kTicketSecretSize);
    const auto room = secret.room();
    if (getrandom(room.data(), room.size(), 0) != static_cast<ssize_t>(room.size()))
        return unusable("the kernel gives no random bytes");
    if (pwrite(fd, room.data(), room.size(), 0) != static_cast<ssize_t>(room.size()))
        return unusable("its memory file cannot be written");
    if (!sys::seal(fd)) return unusable("its memory file cannot be sealed");
    return secret;
}

} // namespace

std::vector<ipc::TicketKey> ticket_ring(Secret secret, std::int64_t now)
{
    const std::int64_t epoch = ticket_epoch(now);
    return {ticket_key(secret, epoch), ticket_key(secret, epoch - 1), ticket_key(secret, epoch + 1)};
}

Checked<SecretBuffer> take_ticket_secret(int fd)
{
    const auto size = sys::file_size(fd);
    if (!size) return unusable("its memory file cannot be read");
    if (*size == 0) return draw(fd);
    if (*size != kTicketSecretSize) return unusable("its memory file holds another size than 32 bytes");
    SecretBuffer secret{kTicketSecretSize};
    secret.set_size(kTicketSecretSize);
    if (!sys::read_into(fd, secret.room())) return unusable("its memory file cannot be read");
    return secret;
}

} // namespace sallyport::keyholder

#include "authority.hpp"

#include <cerrno>
#include <span>
#include <system_error>

#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "certify.hpp"
#include "sallyport/crypto/openssl_error.hpp"

namespace sallyport::keyholder {

namespace {

Checked<void> write_all(int file, const crypto::BioHandle& text, const char* what)
{
    char* data = nullptr;
    const long size = BIO_get_mem_data(text.get(), &data);
    std::span<const char> rest{data, static_cast<std::size_t>(size)};
    off_t at = 0;
    while (!rest.empty()) {
        const ssize_t written = pwrite(file, rest.data(), rest.size(), at);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0)
            return std::unexpected{Problem{ExitCode::os_error, std::string{"cannot write the authority's "} + what +
                                                                   ": " + std::system_category().message(errno)}};
        rest = rest.subspan(static_cast<std::size_t>(written));
        at += written;
    }
    return {};
}

} // namespace

Checked<void> make_authority(const std::string& name, int key_file, int certificate_file, std::int64_t now)
{
    const crypto::KeyHandle key{EVP_EC_gen("P-256")};
    const crypto::X509Handle certificate =
        key ? certify({.key = *key, .common_name = name, .from = now - kBackdating, .until = now + kAuthorityLife})
            : nullptr;
    const crypto::BioHandle key_text{BIO_new(BIO_s_secmem())};
    const crypto::BioHandle certificate_text{BIO_new(BIO_s_mem())};
    const bool made =
        certificate && key_text && certificate_text &&
        PEM_write_bio_PKCS8PrivateKey(key_text.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1 &&
        PEM_write_bio_X509(certificate_text.get(), certificate.get()) == 1;
    if (!made) return wrong("no authority could be made (" + crypto::take_error_text() + ")");
    if (auto written = write_all(key_file, key_text, "key"); !written) return written;
    return write_all(certificate_file, certificate_text, "certificate");
}

} // namespace sallyport::keyholder

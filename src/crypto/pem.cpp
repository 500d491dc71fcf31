#include "sallyport/crypto/pem.hpp"

#include <algorithm>
#include <array>

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "sallyport/crypto/certificate.hpp"
#include "sallyport/crypto/openssl_error.hpp"

namespace sallyport::crypto {

namespace {

constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kEnd = "-----END ";
constexpr std::string_view kDashes = "-----";

/// Where the mark stands at the beginning of a line, from `from` on.
std::size_t find_at_line_start(std::string_view text, std::string_view mark, std::size_t from)
{
    std::size_t at = text.find(mark, from);
    while (at != std::string_view::npos && at != 0 && text[at - 1] != '\n')
        at = text.find(mark, at + 1);
    return at;
}

/// Where the block's END line ends; npos without one.
std::size_t end_of_block(std::string_view text, std::string_view label, std::size_t from)
{
    const std::string mark = std::string{kEnd}.append(label).append(kDashes);
    const std::size_t at = find_at_line_start(text, mark, from);
    return at == std::string_view::npos ? at : at + mark.size();
}

// Without one of our own OpenSSL would ask the terminal for the passphrase of an encrypted certificate.
int no_passphrase(char* /*into*/, int /*size*/, int /*writing*/, void* /*context*/)
{
    return -1;
}

std::expected<Der, std::string> certificate_der(const PemBlock& block)
{
    const BioHandle source{BIO_new_mem_buf(block.text.data(), static_cast<int>(block.text.size()))};
    const X509Handle certificate{PEM_read_bio_X509_AUX(source.get(), nullptr, no_passphrase, nullptr)};
    if (!certificate) return std::unexpected{take_error_text()};
    unsigned char* encoded = nullptr;
    const int size = i2d_X509(certificate.get(), &encoded);
    if (size <= 0) return std::unexpected{take_error_text()};
    const auto* first = reinterpret_cast<const std::byte*>(encoded);
    Der der{first, first + size};
    OPENSSL_free(encoded);
    return der;
}

} // namespace

bool is_certificate(const PemBlock& block)
{
    static constexpr std::array<std::string_view, 3> kLabels{PEM_STRING_X509, PEM_STRING_X509_OLD,
                                                             PEM_STRING_X509_TRUSTED};
    return std::ranges::find(kLabels, block.label) != kLabels.end();
}

bool is_private_key(const PemBlock& block)
{
    return block.label.ends_with("PRIVATE KEY");
}

std::expected<std::vector<PemBlock>, std::string> pem_blocks(std::string_view text)
{
    std::vector<PemBlock> blocks;
    std::size_t at = find_at_line_start(text, kBegin, 0);
    while (at != std::string_view::npos) {
        const std::size_t label_at = at + kBegin.size();
        const std::size_t label_end = text.find(kDashes, label_at);
        if (label_end == std::string_view::npos) return std::unexpected{"a BEGIN line is cut off"};
        const std::string_view label = text.substr(label_at, label_end - label_at);
        const std::size_t end = end_of_block(text, label, label_end);
        if (end == std::string_view::npos) return std::unexpected{"a PEM block has no END line (a half-written file?)"};
        blocks.push_back({label, text.substr(at, end - at)});
        at = find_at_line_start(text, kBegin, end);
    }
    return blocks;
}

std::expected<std::vector<Der>, std::string> certificate_chain(const std::vector<PemBlock>& blocks)
{
    std::vector<Der> chain;
    for (const PemBlock& block : blocks) {
        if (!is_certificate(block)) continue;
        auto der = certificate_der(block);
        if (!der)
            return std::unexpected{"certificate " + std::to_string(chain.size() + 1) +
                                   " cannot be decoded: " + der.error()};
        chain.push_back(*std::move(der));
    }
    if (chain.empty()) return std::unexpected{"it holds no certificate in PEM form"};
    return chain;
}

} // namespace sallyport::crypto

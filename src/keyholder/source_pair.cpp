#include "source_pair.hpp"

#include <algorithm>
#include <cstdint>
#include <new>
#include <string_view>

#include <openssl/evp.h>

#include "sallyport/base/text.hpp"
#include "sallyport/crypto/pem.hpp"

#include "source_file.hpp"

namespace sallyport::keyholder {

namespace {

Checked<SecretBuffer> read(const ipc::TextSource& text, const UniqueFd& travelled)
{
    return text.travels ? read_source(travelled.get(), text.name) : read_source(text.name);
}

/// The first line's end belongs to the file, not to the passphrase.
std::string_view without_newline(std::string_view text)
{
    if (text.ends_with('\n')) text.remove_suffix(1);
    if (text.ends_with('\r')) text.remove_suffix(1);
    return text;
}

Checked<std::vector<crypto::PemBlock>> blocks_of(const SecretBuffer& text, const std::string& label)
{
    auto blocks = crypto::pem_blocks(text.text());
    if (!blocks) return wrong(label + ": " + blocks.error());
    return *std::move(blocks);
}

Checked<crypto::PemBlock> only_key(const std::vector<crypto::PemBlock>& blocks, const std::string& label)
{
    const auto count = std::ranges::count_if(blocks, crypto::is_private_key);
    if (count == 0) return wrong(label + " holds no private key in PEM form");
    if (count > 1) return wrong(label + " holds " + std::to_string(count) + " private keys; leave the one in use");
    return *std::ranges::find_if(blocks, crypto::is_private_key);
}

Checked<std::vector<crypto::Der>> chain_in(const SecretBuffer& text, const std::string& label)
{
    const auto blocks = blocks_of(text, label);
    if (!blocks) return std::unexpected{blocks.error()};
    auto chain = crypto::certificate_chain(*blocks);
    if (!chain) return wrong(label + ": " + chain.error());
    return *std::move(chain);
}

Checked<crypto::KeyHandle> key_in(const SecretBuffer& text, const std::string& label,
                                  const std::optional<SecretBuffer>& passphrase)
{
    const auto blocks = blocks_of(text, label);
    if (!blocks) return std::unexpected{blocks.error()};
    const auto block = only_key(*blocks, label);
    if (!block) return std::unexpected{block.error()};
    std::optional<std::string_view> given;
    if (passphrase) given = without_newline(passphrase->text());
    auto key = decode_private_key(*block, given);
    if (!key) return wrong(label + ": " + key.error());
    return *std::move(key);
}

} // namespace

bool has_own_key(const ipc::CertificateSource& source)
{
    return !source.key.name.empty() && source.key != source.certificate;
}

const std::string& key_label(const ipc::CertificateSource& source)
{
    return has_own_key(source) ? source.key.name : source.certificate.name;
}

Texts read_texts(const Source& source, Problems& problems)
{
    const ipc::CertificateSource& from = source.description;
    Texts texts;
    texts.certificate = note(read(from.certificate, source.certificate), problems);
    if (has_own_key(from)) texts.key = note(read(from.key, source.key), problems);
    if (!from.passphrase.name.empty()) texts.passphrase = note(read(from.passphrase, source.passphrase), problems);
    return texts;
}

TextsDigest digest_of(const Texts& texts)
{
    TextsDigest digest{};
    const crypto::DigestContext context{EVP_MD_CTX_new()};
    bool done = EVP_DigestInit_ex2(context.get(), EVP_sha256(), nullptr) == 1;
    for (const auto* text : {&texts.certificate, &texts.key, &texts.passphrase}) {
        const std::uint64_t size = *text ? (*text)->bytes().size() : 0; // so that no byte can change its text
        done = done && EVP_DigestUpdate(context.get(), &size, sizeof size) == 1;
        if (*text) done = done && EVP_DigestUpdate(context.get(), (*text)->bytes().data(), size) == 1;
    }
    if (!done || EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) != 1) throw std::bad_alloc{};
    return digest;
}

std::optional<KeyPair> pair_of(const Source& source, const Texts& texts, std::int64_t now, Problems& problems)
{
    const ipc::CertificateSource& from = source.description;
    const std::optional<SecretBuffer>& key_text = has_own_key(from) ? texts.key : texts.certificate;
    std::optional<std::vector<crypto::Der>> chain;
    std::optional<crypto::KeyHandle> key;
    if (texts.certificate) chain = note(chain_in(*texts.certificate, from.certificate.name), problems);
    const bool passphrase_unread = !from.passphrase.name.empty() && !texts.passphrase;
    if (key_text && !passphrase_unread) key = note(key_in(*key_text, key_label(from), texts.passphrase), problems);
    if (!chain || !key) return std::nullopt;

    auto pair = make_pair(*std::move(chain), *std::move(key), now);
    if (pair) {
        pair->made_of = digest_of(texts);
        return *std::move(pair);
    }
    for (const std::string& fault : pair.error())
        problems.push_back({ExitCode::configuration, from.label + ": " + fault});
    return std::nullopt;
}

std::string too_early(const Source& source, const KeyPair& pair)
{
    return source.description.label + ": the certificate is not valid before " + utc_text(pair.facts.not_before) +
           "; it is taken then";
}

} // namespace sallyport::keyholder

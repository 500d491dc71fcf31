#include "key_store.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <string>

#include "sallyport/crypto/pem.hpp"

#include "self_signed.hpp"
#include "source_file.hpp"

namespace sallyport::keyholder {

namespace {

using Problems = std::vector<Problem>;

constexpr std::size_t kFailedTextMax = 64 * 1024;
constexpr std::size_t kLabelMax = 128;
constexpr std::size_t kNamesMax = 16;
constexpr std::size_t kOpenFilesMax = 8;
constexpr std::size_t kSentenceMax = 1024;

/// A value, or its problem noted.
template <typename T>
std::optional<T> note(Checked<T> checked, Problems& problems)
{
    if (checked) return *std::move(checked);
    problems.push_back(std::move(checked.error()));
    return std::nullopt;
}

bool is_self_signed(const Source& source)
{
    return !source.description.self_signed_names.empty();
}

bool has_own_key(const ipc::CertificateSource& source)
{
    return !source.key.name.empty() && source.key != source.certificate;
}

const std::string& key_label(const ipc::CertificateSource& source)
{
    return has_own_key(source) ? source.key.name : source.certificate.name;
}

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

/// The three texts of a source, each in memory that is wiped; `key` only if it is a text of its own.
struct Texts {
    std::optional<SecretBuffer> certificate;
    std::optional<SecretBuffer> key;
    std::optional<SecretBuffer> passphrase;
};

Texts read_texts(const Source& source, Problems& problems)
{
    const ipc::CertificateSource& from = source.description;
    Texts texts;
    texts.certificate = note(read(from.certificate, source.certificate), problems);
    if (has_own_key(from)) texts.key = note(read(from.key, source.key), problems);
    if (!from.passphrase.name.empty()) texts.passphrase = note(read(from.passphrase, source.passphrase), problems);
    return texts;
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
    if (pair) return *std::move(pair);
    for (const std::string& fault : pair.error())
        problems.push_back({ExitCode::configuration, from.label + ": " + fault});
    return std::nullopt;
}

bool is_due(const KeyPair& pair, std::int64_t now)
{
    return pair.facts.not_after - kSelfSignedRenewal <= now;
}

using SharedPair = std::shared_ptr<const KeyPair>;

SharedPair share(std::optional<KeyPair> pair)
{
    return pair ? std::make_shared<const KeyPair>(*std::move(pair)) : nullptr;
}

SharedPair load_one(const Source& source, const SharedPair& previous, std::int64_t now, Problems& problems)
{
    if (!is_self_signed(source)) return share(pair_of(source, read_texts(source, problems), now, problems));
    if (previous && !is_due(*previous, now)) return previous;
    return share(note(make_self_signed(source.description.self_signed_names, now), problems));
}

ipc::LoadedPair report(const Source& source, const KeyPair& pair, std::size_t names_max)
{
    std::vector<std::string> names = pair.facts.names;
    names.insert(names.end(), pair.facts.addresses.begin(), pair.facts.addresses.end());
    names.resize(std::min(names.size(), names_max));
    const ipc::CertificateSource& from = source.description;
    return {from.label.substr(0, kLabelMax),
            key_label(from).substr(0, kLabelMax),
            pair.facts.key_type,
            pair.facts.spki_sha256,
            std::move(names),
            pair.facts.not_after};
}

/// The files of secrets that others may read.
std::vector<std::string> open_files(std::span<const Source> sources)
{
    std::vector<std::string> found;
    for (const Source& source : sources) {
        const ipc::CertificateSource& from = source.description;
        for (const ipc::TextSource* text : {has_own_key(from) ? &from.key : &from.certificate, &from.passphrase}) {
            if (text->name.empty() || text->travels) continue;
            auto open = open_to_others(text->name);
            if (open && found.size() < kOpenFilesMax) found.push_back(open->substr(0, kSentenceMax));
        }
    }
    return found;
}

} // namespace

std::expected<KeySet, Problems> load_all(std::span<const Source> sources, const KeySet* previous, std::int64_t now)
{
    Problems problems;
    KeySet keys;
    for (std::size_t i = 0; i < sources.size(); ++i) {
        const bool known = previous != nullptr && i < previous->size();
        keys.push_back(load_one(sources[i], known ? (*previous)[i] : nullptr, now, problems));
    }
    if (sources.empty()) problems.push_back({ExitCode::configuration, "there is no certificate to load"});
    if (sources.size() > kSourcesMax)
        problems.push_back(
            {ExitCode::configuration, "there are more than " + std::to_string(kSourcesMax) + " certificates"});
    if (!problems.empty()) return std::unexpected{problems};
    return keys;
}

std::int64_t renewal_due(std::span<const Source> sources, const KeySet& keys)
{
    std::int64_t due = std::numeric_limits<std::int64_t>::max();
    for (std::size_t i = 0; i < keys.size(); ++i)
        if (is_self_signed(sources[i])) due = std::min(due, keys[i]->facts.not_after - kSelfSignedRenewal);
    return due;
}

Checked<KeySet> renew(std::span<const Source> sources, const KeySet& keys, std::int64_t now)
{
    KeySet renewed = keys;
    for (std::size_t i = 0; i < keys.size(); ++i) {
        if (!is_self_signed(sources[i]) || !is_due(*keys[i], now)) continue;
        auto pair = make_self_signed(sources[i].description.self_signed_names, now);
        if (!pair) return std::unexpected{pair.error()};
        renewed[i] = std::make_shared<const KeyPair>(*std::move(pair));
    }
    return renewed;
}

ipc::Failed to_failed(const Problems& problems)
{
    const auto other = std::ranges::find_if(problems, [](const Problem& p) { return p.code != ExitCode::permission; });
    const ExitCode code = other == problems.end() ? ExitCode::permission : other->code;
    std::string text;
    for (const Problem& problem : problems)
        text += (text.empty() ? "" : "\n") + problem.text;
    return {static_cast<std::uint8_t>(code), text.substr(0, kFailedTextMax)};
}

ipc::Loaded to_loaded(std::span<const Source> sources, const KeySet& keys, bool memory_locked)
{
    ipc::Loaded loaded;
    for (std::size_t names_max = kNamesMax;; names_max /= 2) {
        loaded = {memory_locked, {}, open_files(sources)};
        for (std::size_t i = 0; i < keys.size(); ++i)
            loaded.pairs.push_back(report(sources[i], *keys[i], names_max));
        if (names_max == 0 || ipc::encode(loaded).size() <= ipc::kMessageMax) return loaded;
    }
}

} // namespace sallyport::keyholder

#include "key_store.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <string>

#include "self_signed.hpp"
#include "source_file.hpp"

namespace sallyport::keyholder {

namespace {

constexpr std::size_t kFailedTextMax = 64 * 1024;
constexpr std::size_t kLabelMax = 128;
constexpr std::size_t kOpenFilesMax = 8;
constexpr std::size_t kSentenceMax = 1024;

bool is_self_signed(const Source& source)
{
    return !source.description.self_signed_names.empty();
}

bool has_issuer(const Source& source)
{
    return !source.description.certificate.name.empty();
}

Checked<KeyPair> make_in_memory(const Source& source, std::int64_t now)
{
    const std::vector<std::string>& names = source.description.self_signed_names;
    if (!has_issuer(source)) return make_self_signed(names, now);
    Problems problems;
    const auto authority = pair_of(source, read_texts(source, problems), now, problems);
    if (!authority) return std::unexpected{problems.front()};
    return make_issued(names, *authority, now);
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
    return share(note(make_in_memory(source, now), problems));
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
        const std::size_t before = problems.size();
        keys.push_back(load_one(sources[i], known ? (*previous)[i] : nullptr, now, problems));
        for (Problem& problem : std::span{problems}.subspan(before))
            problem.source = i;
    }
    if (sources.empty()) problems.push_back({ExitCode::configuration, "there is no certificate to load"});
    if (sources.size() > kSourcesMax)
        problems.push_back(
            {ExitCode::configuration, "there are more than " + std::to_string(kSourcesMax) + " certificates"});
    if (!problems.empty()) return std::unexpected{problems};
    return keys;
}

std::vector<Refusal> keep_valid(std::span<const Source> sources, KeySet& keys, const KeySet& previous, std::int64_t now)
{
    std::vector<Refusal> refused;
    for (std::size_t i = 0; i < std::min(keys.size(), previous.size()); ++i) {
        if (!is_too_early(*keys[i], *previous[i], now)) continue;
        refused.push_back({i, too_early(sources[i], *keys[i])});
        keys[i] = previous[i];
    }
    return refused;
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
        auto pair = make_in_memory(sources[i], now);
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

ipc::LoadedPair report(const Source& source, const KeyPair& pair, std::size_t names_max)
{
    std::vector<std::string> names = pair.facts.names;
    names.insert(names.end(), pair.facts.addresses.begin(), pair.facts.addresses.end());
    names.resize(std::min(names.size(), names_max));
    const ipc::CertificateSource& from = source.description;
    return {from.label.substr(0, kLabelMax),
            is_self_signed(source) ? std::string{} : key_label(from).substr(0, kLabelMax),
            pair.facts.key_type,
            pair.facts.spki_sha256,
            std::move(names),
            pair.facts.not_after};
}

ipc::Loaded to_loaded(std::span<const Source> sources, const KeySet& keys, bool memory_locked)
{
    ipc::Loaded loaded;
    for (std::size_t names_max = kNamesToldMax;; names_max /= 2) {
        loaded = {memory_locked, {}, open_files(sources)};
        for (std::size_t i = 0; i < keys.size(); ++i)
            loaded.pairs.push_back(report(sources[i], *keys[i], names_max));
        if (names_max == 0 || ipc::encode(loaded).size() <= ipc::kMessageMax) return loaded;
    }
}

} // namespace sallyport::keyholder

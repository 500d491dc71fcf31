#include "rotation.hpp"

#include <algorithm>
#include <filesystem>
#include <iterator>

#include <sys/stat.h>

#include "source_places.hpp"

namespace sallyport::keyholder {

namespace {

std::int64_t nanoseconds(const timespec& time)
{
    return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

/// Absolute, as the sandbox has no call to ask for the directory that we are in.
std::vector<std::string> files_of(const ipc::CertificateSource& source)
{
    std::vector<std::string> files;
    for (const ipc::TextSource* text : {&source.certificate, &source.key, &source.passphrase})
        if (!text->name.empty() && !text->travels) files.push_back(std::filesystem::absolute(text->name));
    return files;
}

std::string told(const Problems& problems)
{
    std::string text;
    for (const Problem& problem : problems)
        text += (text.empty() ? "" : "; ") + problem.text;
    return text;
}

} // namespace

Rotation::Rotation(std::span<const Source> sources, std::chrono::milliseconds check_every) : check_every_{check_every}
{
    for (std::size_t index = 0; index < sources.size(); ++index) {
        auto files = files_of(sources[index].description);
        if (!files.empty()) watched_.push_back({.source = &sources[index], .index = index, .paths = std::move(files)});
    }
    follow();
}

void Rotation::heed()
{
    watch_.drain();
    told_ = true;
}

SteadyTime Rotation::due() const
{
    if (watched_.empty()) return SteadyTime::max();
    SteadyTime due = next_check_;
    for (const Watched& watched : watched_) {
        if (watched.settled) continue;
        const SteadyTime settles = watched.changed_at + kSettling;
        due = std::min(due, watched.complaint.empty() ? settles : std::min(settles, last_look_ + kSettlingLook));
    }
    return told_ ? std::min(due, last_look_ + kBetweenLooks) : due;
}

Findings Rotation::look(const KeySet& in_force, std::int64_t now, SteadyTime at)
{
    const bool anew = at >= next_check_;
    if (anew) next_check_ = at + check_every_;
    last_look_ = at;
    told_ = false;
    follow(); // first: what changes from now on is told
    Findings findings;
    for (Watched& watched : watched_)
        look_at(watched, in_force, now, at, anew, findings);
    return findings;
}

void Rotation::look_at(Watched& watched, const KeySet& in_force, std::int64_t now, SteadyTime at, bool anew,
                       Findings& findings)
{
    if (auto stamps = stamps_of(watched); stamps != watched.stamps) {
        watched.stamps = std::move(stamps);
        watched.changed_at = at;
        watched.settled = false;
    }
    if (watched.settled && !anew) return;
    if (auto pair = read(watched, *in_force[watched.index], now, anew))
        findings.fresh.emplace_back(watched.index, pair);
    else if (watched.complaint.empty())
        findings.unchanged.push_back(watched.index);
    if (at - watched.changed_at < kSettling) return;
    watched.settled = true;
    if (watched.complaint.empty() || watched.complaint == watched.told) return;
    watched.told = watched.complaint;
    findings.refused.emplace_back(watched.index, watched.complaint);
}

/// A pair that is not the one in force; nullptr and, if something is wrong, a complaint.
std::shared_ptr<const KeyPair> Rotation::read(Watched& watched, const KeyPair& in_force, std::int64_t now, bool anew)
{
    Problems problems;
    const Texts texts = read_texts(*watched.source, problems);
    if (!problems.empty()) {
        watched.wrong.reset();
        watched.complaint = told(problems);
        return nullptr;
    }
    const TextsDigest digest = digest_of(texts);
    if (digest == watched.wrong && !anew) return nullptr;
    watched.complaint.clear();
    watched.wrong.reset();
    if (digest == in_force.made_of) {
        watched.told.clear();
        return nullptr;
    }
    auto pair = pair_of(*watched.source, texts, now, problems);
    if (pair && !is_too_early(*pair, in_force, now)) {
        watched.told.clear();
        return std::make_shared<const KeyPair>(*std::move(pair));
    }
    watched.wrong = digest;
    watched.complaint = pair ? too_early(*watched.source, *pair) : told(problems);
    return nullptr;
}

std::vector<Rotation::Stamp> Rotation::stamps_of(const Watched& watched)
{
    std::vector<Stamp> stamps;
    for (const std::string& path : watched.paths)
        stamps.push_back(stamp_of(path));
    return stamps;
}

Rotation::Stamp Rotation::stamp_of(const std::string& path)
{
    struct stat facts{};
    if (stat(path.c_str(), &facts) != 0) return {};
    return {.device = facts.st_dev,
            .inode = facts.st_ino,
            .size = facts.st_size,
            .written_ns = nanoseconds(facts.st_mtim),
            .changed_ns = nanoseconds(facts.st_ctim)};
}

void Rotation::follow()
{
    std::vector<std::string> places;
    for (const Watched& watched : watched_)
        for (const std::string& path : watched.paths)
            std::ranges::move(places_of(path), std::back_inserter(places));
    std::ranges::sort(places);
    const auto repeated = std::ranges::unique(places);
    places.erase(repeated.begin(), repeated.end());
    watch_.follow(places);
}

} // namespace sallyport::keyholder

#include "sallyport/log/verify.hpp"

#include <algorithm>

#include "chain.hpp"

namespace sallyport::log {

namespace {

constexpr std::string_view kJsonMark = R"(,"stream":"audit",)";

/// The value of a field that is a plain word, in either format; empty if there is none.
std::string_view word_of(std::string_view text, std::string_view name)
{
    for (const auto& [before, after] :
         {std::pair{"\"" + std::string{name} + "\":\"", '"'}, std::pair{" " + std::string{name} + "=", ' '}}) {
        const std::size_t at = text.find(before);
        if (at == std::string_view::npos) continue;
        const std::string_view rest = text.substr(at + before.size());
        return rest.substr(0, rest.find(after));
    }
    return {};
}

/// A plain line has it between its level and its event: "2026-…Z info  worker confined".
std::string process_of(std::string_view text)
{
    if (text.starts_with('{')) return std::string{word_of(text, "process")};
    for (const std::string_view process : {"gatekeeper", "keyholder", "worker"})
        if (text.find(" " + std::string{process} + " ") < 40) return std::string{process};
    return {};
}

bool ends_chain(std::string_view text)
{
    return text.find('"' + std::string{kChainEnds} + '"') != std::string_view::npos ||
           text.find(' ' + std::string{kChainEnds} + " stream=audit") != std::string_view::npos;
}

std::string plural(std::uint64_t count)
{
    return std::to_string(count) + (count == 1 ? " line is" : " lines are");
}

} // namespace

void Verifier::take(std::string_view line)
{
    ++line_;
    const auto seal = read_seal(line);
    if (!seal) {
        if (line.find(kJsonMark) == std::string_view::npos) return;
        ++audit_lines_;
        return find(line_, "a line of the audit stream without its seal: it was changed");
    }
    ++audit_lines_;
    auto known = chains_.find(seal->chain);
    if (known == chains_.end()) {
        if (chains_.size() >= kChainsMax) return find(line_, "too many chains: this and later ones are not followed");
        State fresh;
        fresh.report.id = seal->chain;
        fresh.report.process = process_of(seal->text);
        fresh.first_line = line_;
        fresh.hash = first_hash();
        known = chains_.emplace(fresh.report.id, std::move(fresh)).first;
    }
    follow(known->second, seal->seq, seal->hash, seal->text);
    known->second.report.ended = ends_chain(seal->text);
    const std::string_view child = word_of(seal->text, "child_chain");
    if (!child.empty() && announced_.size() < kChainsMax) announced_.emplace(child, line_);
}

void Verifier::follow(State& state, std::uint64_t seq, std::string_view hash, std::string_view text)
{
    const std::string chain = "chain " + state.report.id + ": ";
    ++state.report.lines;
    if (seq <= state.seq)
        return find(line_, chain + "seq " + std::to_string(seq) + " after seq " + std::to_string(state.seq) +
                               ": the line is repeated, or was moved");
    const std::uint64_t missing = seq - state.seq - 1;
    if (missing > 0)
        find(line_, chain + plural(missing) + " missing before seq " + std::to_string(seq) +
                        ", whose own text cannot be checked without it");
    else if (next_hash(state.hash, text) != hash)
        find(line_,
             chain + "seq " + std::to_string(seq) + " was changed, or the line before it: the hash does not fit");
    state.seq = seq;
    state.hash = hash;
}

void Verifier::finish()
{
    for (const auto& [child, line] : announced_)
        if (!chains_.contains(child))
            find(line, "chain " + child +
                           ", of the child that this line tells of, has no line: they were taken out, or "
                           "it died before the first");
    if (audit_lines_ == 0) find(std::max<std::uint64_t>(line_, 1), "there is no line of the audit stream");
    std::ranges::stable_sort(findings_, {}, &Finding::line);
}

std::vector<ChainReport> Verifier::chains() const
{
    std::vector<const State*> ordered;
    for (const auto& [id, state] : chains_)
        ordered.push_back(&state);
    std::ranges::sort(ordered, {}, &State::first_line);
    std::vector<ChainReport> reports;
    for (const State* state : ordered)
        reports.push_back(state->report);
    return reports;
}

void Verifier::find(std::uint64_t line, std::string text)
{
    if (findings_.size() < kFindingsMax) findings_.push_back({line, std::move(text)});
}

} // namespace sallyport::log

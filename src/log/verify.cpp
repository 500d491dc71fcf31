#include "sallyport/log/verify.hpp"

#include <algorithm>

#include "chain.hpp"
#include "read_back.hpp"

namespace sallyport::log {

namespace {

constexpr std::string_view kGatekeeper = "gatekeeper";
constexpr std::string_view kTogether =
    "; check it together with the file before it: cat OLD NEW | sallyport audit --verify-log -";

std::string plural(std::uint64_t count)
{
    return std::to_string(count) + (count == 1 ? " line is" : " lines are");
}

std::string called(std::string_view chain)
{
    return "chain " + std::string{chain} + ": ";
}

} // namespace

void Verifier::take(std::string_view line)
{
    ++line_;
    const auto seal = read_seal(line);
    if (!seal) {
        if (!says_it_is_audit(line)) return;
        ++audit_lines_;
        const bool is_cut_off = line_ == 1 && line.find('{') == std::string_view::npos;
        if (is_cut_off) return remark(line_, "the file begins within this line");
        return fault(line_, "a line of the audit stream without its seal: it was changed");
    }
    ++audit_lines_;
    State* state = state_of(seal->chain, seal->seq, seal->text);
    if (state == nullptr) return fault(line_, "too many chains: this and later ones are not followed");
    follow(*state, seal->seq, seal->hash, seal->text);
    state->last_line = line_;
    state->report.ended = ends_chain(seal->text);
    note_introduction(*state, seal->text);
}

void Verifier::take_unfinished(std::string_view line)
{
    if (read_seal(line) || !says_it_is_audit(line)) return take(line);
    ++line_;
    ++audit_lines_;
    remark(line_, "the file ends within this line");
}

Verifier::State* Verifier::state_of(std::string_view chain, std::uint64_t seq, std::string_view text)
{
    if (const auto known = chains_.find(chain); known != chains_.end()) return &known->second;
    if (chains_.size() >= kChainsMax) return nullptr;
    State fresh;
    fresh.report.id = chain;
    fresh.report.process = process_of(text);
    fresh.report.begins = seq;
    fresh.first_line = line_;
    fresh.hash = first_hash();
    return &chains_.emplace(fresh.report.id, std::move(fresh)).first->second;
}

void Verifier::follow(State& state, std::uint64_t seq, std::string_view hash, std::string_view text)
{
    const bool is_first = ++state.report.lines == 1;
    if (!is_first && seq <= state.seq)
        return fault(line_, called(state.report.id) + "seq " + std::to_string(seq) + " after seq " +
                                std::to_string(state.seq) + ": the line is repeated, or was moved");
    const std::uint64_t missing = seq - state.seq - 1;
    if (!is_first && missing > 0)
        fault(line_, called(state.report.id) + plural(missing) + " missing before seq " + std::to_string(seq) +
                         ", whose own text cannot be checked without it");
    else if (missing == 0 && next_hash(state.hash, text) != hash)
        fault(line_, called(state.report.id) + "seq " + std::to_string(seq) +
                         " was changed, or the line before it: the hash does not fit");
    state.seq = seq;
    state.hash = hash;
}

void Verifier::note_introduction(State& state, std::string_view text)
{
    const std::string_view child = field_of(text, "child_chain");
    if (child.empty()) {
        state.last_of_its_own = line_;
        return;
    }
    if (state.report.process != kGatekeeper)
        return fault(line_, called(state.report.id) + "it is not the gatekeeper's, yet it introduces chain " +
                                std::string{child} + ": that counts for nothing");
    if (introduced_.size() >= kChainsMax) return;
    const Introduction introduction{state.report.id, std::string{field_of(text, "child")}, line_};
    if (!introduced_.emplace(child, introduction).second) fault(line_, called(child) + "is introduced a second time");
}

void Verifier::finish()
{
    std::vector<const State*> gatekeepers;
    std::vector<const State*> children;
    for (const State* state : by_first_line())
        (is_gatekeepers(*state) ? gatekeepers : children).push_back(state);
    judge_gatekeepers(gatekeepers);
    for (const State* child : children)
        judge_child(*child, gatekeepers.empty() ? nullptr : gatekeepers.front());
    judge_introductions();
    if (audit_lines_ == 0) fault(std::max<std::uint64_t>(line_, 1), "there is no line of the audit stream");
    std::ranges::stable_sort(faults_, {}, &Finding::line);
    std::ranges::stable_sort(remarks_, {}, &Finding::line);
}

bool Verifier::is_gatekeepers(const State& state) const
{
    return state.report.process == kGatekeeper && introduction_of(state) == nullptr;
}

const Verifier::Introduction* Verifier::introduction_of(const State& state) const
{
    const auto found = introduced_.find(state.report.id);
    return found == introduced_.end() ? nullptr : &found->second;
}

/// They start one after the other, so only the first of them may have begun in an older file.
void Verifier::judge_gatekeepers(const std::vector<const State*>& gatekeepers)
{
    std::uint64_t last_line = 0;
    for (const State* state : gatekeepers) {
        const std::string begins = std::to_string(state->report.begins);
        const std::string chain = called(state->report.id);
        if (state->first_line < last_line)
            fault(state->first_line,
                  chain + "another gatekeeper's chain goes on after this line: one of them is forged, or the lines of "
                          "several Sallyports are in one file, which are to be checked each alone");
        if (state->report.begins > 1 && state == gatekeepers.front())
            remark(state->first_line, chain + "begins at seq " + begins + ": what came before is not in this file" +
                                          std::string{kTogether});
        else if (state->report.begins > 1)
            fault(state->first_line, chain + plural(state->report.begins - 1) + " missing before seq " + begins);
        last_line = std::max(last_line, state->last_line);
    }
}

void Verifier::judge_child(const State& child, const State* first_gatekeeper)
{
    const std::string chain = called(child.report.id);
    const std::uint64_t begins = child.report.begins;
    if (const Introduction* introduction = introduction_of(child)) {
        if (introduction->child != child.report.process)
            fault(child.first_line, chain + "it was introduced as the chain of a " + introduction->child +
                                        ", but calls itself '" + child.report.process + "'");
        if (begins > 1)
            fault(child.first_line, chain + plural(begins - 1) + " missing before seq " + std::to_string(begins));
        return;
    }
    // The gatekeeper's lines of that time are not here.
    const bool is_older = first_gatekeeper == nullptr || first_gatekeeper->report.begins > 1 ||
                          child.first_line < first_gatekeeper->first_line;
    if (begins > 1 && is_older)
        remark(child.first_line, chain + "begins at seq " + std::to_string(begins) +
                                     ": what came before, and who introduced it, is not in this file");
    else
        fault(child.first_line,
              chain + "nobody introduced it: it is forged, or its introduction was taken out or is in an older file" +
                  std::string{kTogether});
}

void Verifier::judge_introductions()
{
    for (const auto& [child, introduction] : introduced_) {
        if (chains_.contains(child)) continue;
        const bool goes_on = chains_.at(introduction.by).last_of_its_own > introduction.line;
        if (goes_on)
            fault(introduction.line, "chain " + child +
                                         ", of the child that this line tells of, has no line: they were taken out, or "
                                         "it died before the first");
        else
            remark(introduction.line,
                   "chain " + child + ", of the child that this line tells of, has no line before the file ends");
    }
}

std::vector<const Verifier::State*> Verifier::by_first_line() const
{
    std::vector<const State*> ordered;
    for (const auto& [id, state] : chains_)
        ordered.push_back(&state);
    std::ranges::sort(ordered, {}, &State::first_line);
    return ordered;
}

std::vector<ChainReport> Verifier::chains() const
{
    std::vector<ChainReport> reports;
    for (const State* state : by_first_line())
        reports.push_back(state->report);
    return reports;
}

void Verifier::fault(std::uint64_t line, std::string text)
{
    if (faults_.size() < kFindingsMax) faults_.push_back({line, std::move(text)});
}

void Verifier::remark(std::uint64_t line, std::string text)
{
    if (remarks_.size() < kFindingsMax) remarks_.push_back({line, std::move(text)});
}

} // namespace sallyport::log

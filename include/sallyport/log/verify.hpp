// Reading an audit log back: are lines missing, were lines changed, did somebody write who is not of the family?
//
// Each process has a chain of its own (log.hpp), so none waits for another to write, and a captured worker cannot write
// into the chain of the gatekeeper. What holds them together is the gatekeeper's chain: it introduces the chain of
// every child that it starts ("child started", `child_chain`). So a whole chain can neither vanish nor be added
// unnoticed, and an introduction in any other chain counts for nothing. One gatekeeper after the other is a restart;
// two at once are a forgery, or the lines of two Sallyports in one file.
//
// What it cannot show: a forger who writes everything after his change anew, as the hash has no key (send the lines to
// another machine at once, and he would have to change them there too); what a captured process writes into its own
// chain; that the end of a chain was cut off, where the process died or still lives (a chain whose process ended in
// good order says so in its last line, and a report calls it "ended"); and what stood before the file begins. A file
// that rotation began in the middle of chains is no fault: a remark says where each of them begins. Lines of a full
// queue are gaps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::log {

/// Something to say of a line of the file (1-based).
struct Finding {
    std::uint64_t line{};
    std::string text;

    bool operator==(const Finding&) const = default;
};

/// One process's lines.
struct ChainReport {
    std::string id;
    std::string process;    ///< empty if its first line names none
    std::uint64_t begins{}; ///< the number of its first line in this file: 1 unless that was cut off
    std::uint64_t lines{};
    bool ended{}; ///< its last line says that it is

    bool operator==(const ChainReport&) const = default;
};

/// Takes the lines of a file one by one. Costs memory for each chain, not for each line; at most kChainsMax.
class Verifier {
public:
    static constexpr std::size_t kChainsMax = 100'000;
    static constexpr std::size_t kFindingsMax = 1'000;

    /// Without its line feed. Lines that are not of the audit stream are passed over.
    void take(std::string_view line);
    /// In place of `take` for a last line without a line feed: it may be half of one.
    void take_unfinished(std::string_view line);
    /// After the last line.
    void finish();

    [[nodiscard]] std::uint64_t lines() const { return line_; }
    [[nodiscard]] std::uint64_t audit_lines() const { return audit_lines_; }
    /// By their first lines.
    [[nodiscard]] std::vector<ChainReport> chains() const;
    /// What is wrong: the first kFindingsMax of it. None: what the file holds is as it was written.
    [[nodiscard]] const std::vector<Finding>& faults() const { return faults_; }
    /// What this file alone cannot show; the first kFindingsMax.
    [[nodiscard]] const std::vector<Finding>& remarks() const { return remarks_; }

private:
    struct State {
        ChainReport report;
        std::uint64_t first_line{};
        std::uint64_t last_line{};
        std::uint64_t seq{};
        std::string hash;
        std::uint64_t last_of_its_own{}; ///< the last line that introduces nobody
    };
    struct Introduction {
        std::string by;    ///< the chain that says so
        std::string child; ///< "worker"
        std::uint64_t line{};
    };

    void fault(std::uint64_t line, std::string text);
    void remark(std::uint64_t line, std::string text);
    State* state_of(std::string_view chain, std::uint64_t seq, std::string_view text);
    void follow(State& state, std::uint64_t seq, std::string_view hash, std::string_view text);
    void note_introduction(State& state, std::string_view text);

    [[nodiscard]] std::vector<const State*> by_first_line() const;
    [[nodiscard]] bool is_gatekeepers(const State& state) const;
    [[nodiscard]] const Introduction* introduction_of(const State& state) const;
    void judge_introductions();
    void judge_gatekeepers(const std::vector<const State*>& gatekeepers);
    void judge_child(const State& child, const State* first_gatekeeper);

    std::uint64_t line_{0};
    std::uint64_t audit_lines_{0};
    std::map<std::string, State, std::less<>> chains_;
    std::map<std::string, Introduction, std::less<>> introduced_;
    std::vector<Finding> faults_;
    std::vector<Finding> remarks_;
};

} // namespace sallyport::log

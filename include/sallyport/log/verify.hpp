// Reading an audit log back: are lines missing, were lines changed?
//
// Each process has a chain of its own (log.hpp), so none waits for another to write, and a captured worker cannot write
// into the chain of the gatekeeper. What holds the three together is the gatekeeper's chain: it names the chain of
// every child that it starts ("child started", `child_chain`), so a whole chain cannot vanish unnoticed either.
//
// It shows a line that was changed, taken out, moved or put in. It does not show a forger who writes everything after
// his change anew, as the hash has no key; send the lines to another machine at once, and he would have to change them
// there too. Nor that the end of a chain was cut off, where the process died or still lives: a chain whose process
// ended in good order says so in its last line, and a report calls it "ended". Lines of a full queue are gaps as well.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::log {

/// What is wrong at a line of the file (1-based).
struct Finding {
    std::uint64_t line{};
    std::string text;

    bool operator==(const Finding&) const = default;
};

/// One process's lines.
struct ChainReport {
    std::string id;
    std::string process; ///< empty if no line of it names one
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
    /// After the last line.
    void finish();

    [[nodiscard]] std::uint64_t lines() const { return line_; }
    [[nodiscard]] std::uint64_t audit_lines() const { return audit_lines_; }
    /// By their first lines.
    [[nodiscard]] std::vector<ChainReport> chains() const;
    /// The first kFindingsMax of them. None: the file is whole.
    [[nodiscard]] const std::vector<Finding>& findings() const { return findings_; }

private:
    struct State {
        ChainReport report;
        std::uint64_t first_line{};
        std::uint64_t seq{};
        std::string hash;
    };

    void find(std::uint64_t line, std::string text);
    void follow(State& state, std::uint64_t seq, std::string_view hash, std::string_view text);

    std::uint64_t line_{0};
    std::uint64_t audit_lines_{0};
    std::map<std::string, State, std::less<>> chains_;
    std::map<std::string, std::uint64_t, std::less<>> announced_; ///< chains of children, and where it is said
    std::vector<Finding> findings_;
};

} // namespace sallyport::log

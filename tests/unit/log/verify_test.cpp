// The chain of audit lines: what is written, and what of it can be changed unseen.
#include "sallyport/log/verify.hpp"

#include <algorithm>
#include <sstream>

#include "log/chain.hpp"
#include "sallyport/log/log.hpp"
#include "support/catch.hpp"
#include "support/child_process.hpp"

using namespace sallyport;
using namespace sallyport::log;
using Catch::Contains;

namespace {

using Lines = std::vector<std::string>;

Lines lines_of(const std::string& text)
{
    std::istringstream stream{text};
    Lines lines;
    for (std::string line; std::getline(stream, line);)
        lines.push_back(line);
    return lines;
}

/// What a process writes that audits twice before its log starts and twice after, among other lines.
Lines written(Format format, const std::string& chain = "", const std::string& process = "gatekeeper",
              const std::string& child_chain = "")
{
    const auto captured = test::capture_child([&] {
        audit("socket bound", {{"bind", ":443"}});
        audit("confined", {{"profile", process}});
        start({.format = format, .process = process, .chain = chain});
        info("serving");
        if (child_chain.empty())
            audit("signature refused", {{"reason", "x\n\",\"hash\":\"" + std::string(64, 'a') + "\"}"}});
        else
            audit("child started", {{"child", "worker"}, {"child_chain", child_chain}});
        audit("child died", {{"how", std::string(5000, 'x')}});
        stop();
    });
    REQUIRE(captured.status == 0);
    return lines_of(captured.output);
}

Verifier verified(const Lines& lines)
{
    Verifier verifier;
    for (const std::string& line : lines)
        verifier.take(line);
    verifier.finish();
    return verifier;
}

std::vector<Finding> findings(const Lines& lines)
{
    return verified(lines).faults();
}

Lines joined(Lines lines, const Lines& more)
{
    std::ranges::copy(more, std::back_inserter(lines));
    return lines;
}

const std::string kChild = "fedcba9876543210";

void replace(std::string& text, std::string_view old, std::string_view by)
{
    const std::size_t at = text.find(old);
    REQUIRE(at != std::string::npos);
    text.replace(at, old.size(), by);
}

} // namespace

TEST_CASE("SHA-256 is SHA-256", "[log][verify]")
{
    // FIPS 180-4: of "abc".
    CHECK(next_hash("a", "bc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("A log as it was written is whole, in either format", "[log][verify]")
{
    const Format format = GENERATE(Format::json, Format::plain);
    const Lines lines = written(format, "0123456789abcdef");
    REQUIRE(lines.size() == 6);
    Verifier verifier;
    for (const std::string& line : lines)
        verifier.take(line);
    verifier.finish();
    CHECK(verifier.faults().empty());
    CHECK(verifier.remarks().empty());
    CHECK(verifier.lines() == 6);
    CHECK(verifier.audit_lines() == 5);
    CHECK(verifier.chains() ==
          std::vector<ChainReport>{
              {.id = "0123456789abcdef", .process = "gatekeeper", .begins = 1, .lines = 5, .ended = true}});
    for (const std::string& line : lines)
        CHECK(line.size() < 4096);
}

TEST_CASE("Every line that is changed is found", "[log][verify]")
{
    const Format format = GENERATE(Format::json, Format::plain);
    Lines lines = written(format);
    const auto [index, old, by] = GENERATE(table<std::size_t, std::string, std::string>({
        {0, ":443", ":444"},
        {0, "Z", "Y"},
        {1, "confined", "confirmed"},
        {4, "xxx", "xx"},
        {5, "ends", "and"},
    }));
    replace(lines[index], old, by);
    const auto found = findings(lines);
    REQUIRE(found.size() == 1);
    CHECK(found[0].line == index + 1);
    CHECK_THAT(found[0].text, Contains("was changed"));
}

TEST_CASE("A line that is taken out is a gap before the next", "[log][verify]")
{
    Lines lines = written(Format::json);
    const auto [index, line, seq] =
        GENERATE(table<std::ptrdiff_t, std::uint64_t, std::string>({{1, 3, "3"}, {3, 4, "4"}, {4, 5, "5"}}));
    lines.erase(lines.begin() + index);
    const auto found = findings(lines);
    REQUIRE(found.size() == 1);
    CHECK(found[0].line == line);
    CHECK_THAT(found[0].text, Contains("1 line is missing before seq " + seq));
}

TEST_CASE("A line that comes twice, or elsewhere, is found", "[log][verify]")
{
    Lines twice = written(Format::json);
    twice.insert(twice.begin() + 2, twice[0]);
    REQUIRE(findings(twice).size() == 1);
    CHECK(findings(twice)[0].line == 3);
    CHECK_THAT(findings(twice)[0].text, Contains("repeated, or was moved"));

    Lines swapped = written(Format::json);
    std::swap(swapped[1], swapped[3]);
    CHECK(findings(swapped).size() == 2);
}

TEST_CASE("A line that is put in with a hash of its own breaks the next one", "[log][verify]")
{
    Lines lines = written(Format::json, "0123456789abcdef");
    const auto second = read_seal(lines[1]);
    REQUIRE(second);
    Chain forged{"0123456789abcdef"};
    std::string text = R"({"time":"","process":"gatekeeper","stream":"audit"})"
                       "\n";
    forged.seal(text, 0, Format::json);
    text.pop_back();
    lines[0] = text;
    const auto found = findings(lines);
    REQUIRE(found.size() == 1);
    CHECK(found[0].line == 2);
}

TEST_CASE("A JSON line of the audit stream without its seal is found", "[log][verify]")
{
    Lines lines = written(Format::json);
    lines.push_back(lines[0].substr(0, lines[0].find(",\"chain\"")) + "}");
    REQUIRE(findings(lines).size() == 1);
    CHECK_THAT(findings(lines)[0].text, Contains("without its seal"));
}

TEST_CASE("Chains are followed one beside the other, through what a collector puts before a line", "[log][verify]")
{
    const Lines a = written(Format::json, "", "gatekeeper", kChild);
    const Lines b = written(Format::json, kChild, "worker");
    Lines both;
    for (std::size_t i = 0; i < a.size(); ++i) {
        both.push_back("2026-11-22T02:00:00Z host sallyport[1]: " + a[i]);
        both.push_back(b[i]);
    }
    CHECK(findings(both).empty());
    both.erase(both.begin() + 1);
    CHECK(findings(both).size() == 1);
}

TEST_CASE("A chain that the gatekeeper introduced and that has no line is found", "[log][verify]")
{
    const Format format = GENERATE(Format::json, Format::plain);
    const Lines gatekeeper = written(format, "", "gatekeeper", kChild);
    const auto found = findings(gatekeeper);
    REQUIRE(found.size() == 1);
    CHECK(found[0].line == 4);
    CHECK_THAT(found[0].text, Contains(kChild));
    CHECK(findings(joined(gatekeeper, written(format, kChild, "worker"))).empty());
}

TEST_CASE("A whole chain that nobody introduced is found", "[log][verify]")
{
    const Format format = GENERATE(Format::json, Format::plain);
    const std::string process = GENERATE("worker", "keyholder", "");
    const auto found = findings(joined(written(format), written(format, kChild, process)));
    REQUIRE(found.size() == 1);
    CHECK(found[0].line == 7);
    CHECK_THAT(found[0].text, Contains("nobody introduced it"));
}

TEST_CASE("A chain that only another child introduces is introduced by nobody", "[log][verify]")
{
    const Format format = GENERATE(Format::json, Format::plain);
    const std::string forged = "00000000000000ff";
    Lines lines = written(format, "", "gatekeeper", kChild);
    lines = joined(lines, written(format, kChild, "worker", forged));
    lines = joined(lines, written(format, forged, "worker"));
    const auto found = findings(lines);
    REQUIRE(found.size() == 2);
    CHECK(found[0].line == 10);
    CHECK_THAT(found[0].text, Contains("counts for nothing"));
    CHECK(found[1].line == 13);
    CHECK_THAT(found[1].text, Contains("nobody introduced it"));
}

TEST_CASE("What a line quotes introduces nobody", "[log][verify]")
{
    const Lines lines = lines_of(test::capture_child([] {
                                     start({.format = Format::plain, .process = "gatekeeper"});
                                     audit("certificate loaded", {{"names", "x child_chain=fedcba9876543210 y"}});
                                     stop();
                                 }).output);
    CHECK(findings(lines).empty());
    CHECK(verified(lines).remarks().empty());
}

TEST_CASE("A second gatekeeper is a restart after the first one's end, and a forgery before it", "[log][verify]")
{
    const Lines one = written(Format::json, "0123456789abcdef");
    const Lines other = written(Format::json, kChild);
    CHECK(findings(joined(one, other)).empty());
    Lines forged = one;
    forged.insert(forged.begin() + 4, other.begin(), other.end());
    const auto found = findings(forged);
    REQUIRE(found.size() == 1);
    CHECK(found[0].line == 5);
    CHECK_THAT(found[0].text, Contains("one of them is forged"));
}

TEST_CASE("A child that calls itself the gatekeeper, or another child, is found", "[log][verify]")
{
    const std::string process = GENERATE("gatekeeper", "keyholder");
    const auto found =
        findings(joined(written(Format::json, "", "gatekeeper", kChild), written(Format::json, kChild, process)));
    REQUIRE(found.size() == 1);
    CHECK_THAT(found[0].text, Contains("introduced as the chain of a worker"));
}

TEST_CASE("A file that rotation has begun in the middle is no fault, and says where it begins", "[log][verify]")
{
    const Format format = GENERATE(Format::json, Format::plain);
    Lines whole;
    const Lines a = written(format, "", "gatekeeper", kChild);
    const Lines b = written(format, kChild, "worker");
    for (std::size_t i = 0; i < a.size(); ++i) {
        whole.push_back(a[i]);
        whole.push_back(b[i]);
    }
    const Lines rest(whole.begin() + 8, whole.end()); // after the introduction
    const Verifier verifier = verified(rest);
    CHECK(verifier.faults().empty());
    REQUIRE(verifier.remarks().size() == 2);
    CHECK_THAT(verifier.remarks()[0].text, Contains("begins at seq 4"));
    CHECK_THAT(verifier.remarks()[1].text, Contains("who introduced it, is not in this file"));
    CHECK(verifier.chains()[0].begins == 4);

    Lines cut = rest;
    replace(cut[2], "ends", "and");
    CHECK(verified(cut).faults().size() == 1);
    // A chain that begins here has to be introduced here.
    CHECK(findings(joined(rest, written(format, "00000000000000ff", "worker"))).size() == 1);
}

TEST_CASE("A chain that is introduced here has to begin here", "[log][verify]")
{
    Lines lines = joined(written(Format::json, "", "gatekeeper", kChild), written(Format::json, kChild, "worker"));
    lines.erase(lines.begin() + 6);
    const auto found = findings(lines);
    REQUIRE(found.size() == 1);
    CHECK(found[0].line == 7);
    CHECK_THAT(found[0].text, Contains("1 line is missing before seq 2"));
}

TEST_CASE("The first lines of a second gatekeeper cannot be in an older file", "[log][verify]")
{
    Lines second = written(Format::json, kChild);
    second.erase(second.begin());
    const auto found = findings(joined(written(Format::json), second));
    REQUIRE(found.size() == 1);
    CHECK(found[0].line == 7);
}

TEST_CASE("A file that ends where a child was introduced, or within a line, is no fault", "[log][verify]")
{
    Lines lines = written(Format::json, "", "gatekeeper", kChild);
    lines.erase(lines.begin() + 4, lines.end());
    CHECK(findings(lines).empty());
    CHECK(verified(lines).remarks().size() == 1);

    Lines halves = written(Format::json);
    Verifier verifier;
    verifier.take(halves.front().substr(30));
    verifier.take(halves[1]);
    verifier.take_unfinished(halves[3].substr(0, 100));
    verifier.finish();
    CHECK(verifier.faults().empty());
    REQUIRE(verifier.remarks().size() == 3);
    CHECK_THAT(verifier.remarks()[2].text, Contains("ends within this line"));
}

TEST_CASE("A chain whose end is missing is open, which is no fault of a living process", "[log][verify]")
{
    Lines lines = written(Format::json);
    lines.pop_back();
    const Verifier verifier = verified(lines);
    CHECK(verifier.faults().empty());
    CHECK_FALSE(verifier.chains().front().ended);
}

TEST_CASE("A file without a line of the audit stream is not whole", "[log][verify]")
{
    CHECK(findings({}).size() == 1);
    CHECK(findings({"hello", "{}", ""}).size() == 1);
}

TEST_CASE("What looks like a seal and is none is passed over", "[log][verify]")
{
    const std::string hash(64, 'a');
    const Lines lines{",\"chain\":\"0123456789abcdef\",\"seq\":0,\"hash\":\"" + hash + "\"}",
                      ",\"chain\":\"0123456789abcdeX\",\"seq\":1,\"hash\":\"" + hash + "\"}",
                      ",\"chain\":\"0123456789abcdef\",\"seq\":1,\"hash\":\"a\"}",
                      ",\"hash\":\"" + hash + "\",\"seq\":1,\"chain\":\"0123456789abcdef\"}",
                      " chain= seq= hash=",
                      " chain=0123456789abcdef seq=99999999999999999999 hash=" + hash,
                      "\"}",
                      ""};
    for (const std::string& line : lines)
        CHECK_FALSE(read_seal(line));
}

TEST_CASE("The number of findings is bounded", "[log][verify]")
{
    Verifier verifier;
    const std::string line = "{\"x\":1,\"stream\":\"audit\",\"event\":\"x\"}";
    for (std::size_t i = 0; i < Verifier::kFindingsMax + 10; ++i)
        verifier.take(line);
    verifier.finish();
    CHECK(verifier.faults().size() == Verifier::kFindingsMax);
}

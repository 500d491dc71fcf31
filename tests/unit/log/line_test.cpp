#include "log/line.hpp"

#include "log/chain.hpp"

#include <vector>

#include "support/catch.hpp"

using namespace sallyport::log;

namespace {

// 2026-11-21T23:04:12.345Z
const Time kTime{std::chrono::milliseconds{1795302252345}};

std::string line(Format format, std::string_view event, std::vector<Field> fields, Level level = Level::info,
                 bool audit = false)
{
    std::string out;
    append_line(out, {kTime, level, audit, event, fields}, {.format = format, .process = "worker"});
    return out;
}

} // namespace

TEST_CASE("A JSON line has its time, level, process and event first, then the fields", "[log][line]")
{
    CHECK(line(Format::json, "connection ended",
               {{"client", "192.0.2.1:7"},
                {"bytes", std::uint64_t{18446744073709551615U}},
                {"delta", -5},
                {"resumed", true},
                {"retried", false}}) ==
          R"({"time":"2026-11-21T23:04:12.345Z","level":"info","process":"worker","event":"connection ended",)"
          R"("client":"192.0.2.1:7","bytes":18446744073709551615,"delta":-5,"resumed":true,"retried":false})"
          "\n");
}

TEST_CASE("A plain line reads like prose with name=value at its end", "[log][line]")
{
    CHECK(line(Format::plain, "connection ended",
               {{"client", "192.0.2.1:7"}, {"bytes", 12}, {"resumed", true}, {"reason", "it was over"}, {"sni", ""}}) ==
          "2026-11-21T23:04:12.345Z info  worker connection ended client=192.0.2.1:7 bytes=12 resumed=true "
          "reason=\"it was over\" sni=\"\"\n");
}

TEST_CASE("Every level has its name", "[log][line]")
{
    const auto [level, name] = GENERATE(table<Level, std::string>(
        {{Level::debug, "debug"}, {Level::info, "info"}, {Level::warn, "warn"}, {Level::error, "error"}}));
    CHECK(line(Format::json, "x", {}, level).find("\"level\":\"" + name + "\"") != std::string::npos);
    CHECK(line(Format::plain, "x", {}, level).starts_with("2026-11-21T23:04:12.345Z " + name));
}

TEST_CASE("An audit line says so", "[log][line]")
{
    CHECK(line(Format::json, "confined", {}, Level::info, true) ==
          R"({"time":"2026-11-21T23:04:12.345Z","level":"info","process":"worker","stream":"audit","event":"confined"})"
          "\n");
    CHECK(line(Format::plain, "confined", {}, Level::info, true) ==
          "2026-11-21T23:04:12.345Z info  worker confined stream=audit\n");
}

TEST_CASE("A process without a name has no name on its lines", "[log][line]")
{
    std::string out;
    append_line(out, {kTime, Level::info, false, "x", {}}, {});
    CHECK(out == R"({"time":"2026-11-21T23:04:12.345Z","level":"info","event":"x"})"
                 "\n");
}

TEST_CASE("No value can forge a line, in either format", "[log][line]")
{
    const std::string attack = "a\n{\"level\":\"info\",\"event\":\"all is well\"}\n\x1b[2J";
    for (const Format format : {Format::json, Format::plain}) {
        const std::string out = line(format, "hello received", {{"sni", attack}});
        CHECK(std::count(out.begin(), out.end(), '\n') == 1);
        CHECK(out.find('\x1b') == std::string::npos);
        CHECK(out.find(R"(a\n{\"level\")") != std::string::npos);
    }
}

TEST_CASE("A line is never longer than a pipe takes in one piece", "[log][line]")
{
    const std::string long_value(5000, 'x');
    for (const Format format : {Format::json, Format::plain}) {
        const std::vector<Field> fields(20, Field{"value", long_value});
        const std::string out = line(format, std::string(2000, 'e'), fields);
        CHECK(out.size() <= kLineMax);
        CHECK(line(format, std::string(2000, 'e'), fields, Level::info, true).size() <= kLineMax - kSealMax);
        CHECK(out.ends_with(format == Format::json ? ",\"cut\":true}\n" : " cut=true\n"));
    }
}

TEST_CASE("A long value is cut and the line goes on", "[log][line]")
{
    const std::string out = line(Format::json, "x", {{"text", std::string(5000, 'x')}, {"after", 1}});
    CHECK(out.find(std::string(kValueMax, 'x') + "\xE2\x80\xA6\",\"after\":1}") != std::string::npos);
    CHECK(out.find("cut") == std::string::npos);
    const std::string plain = line(Format::plain, "x", {{"text", std::string(5000, 'x')}});
    CHECK(plain.ends_with(std::string(kValueMax, 'x') + "\xE2\x80\xA6\"\n"));
}

TEST_CASE("A line of another format is written as it is, but stays one line that fits into a pipe", "[log][line]")
{
    const auto [text, expected] = GENERATE(table<std::string, std::string>({
        {R"(192.0.2.1 - - "GET / HTTP/1.1" 200 5)", R"(192.0.2.1 - - "GET / HTTP/1.1" 200 5)"},
        {"", ""},
        {"a\nb\r\x1b[2J\x7f", "a?b??[2J?"},
        {"caf\xC3\xA9", "caf\xC3\xA9"},
        {std::string(5000, 'x'), std::string(kLineMax - 1, 'x')},
    }));
    for (const Format format : {Format::json, Format::plain}) {
        std::string out = "12345678";
        append_line(out, {kTime, Level::warn, false, text, {}, true}, {.format = format, .process = "worker"});
        CHECK(out == "12345678" + expected + "\n");
    }
}

TEST_CASE("A line is appended after what is there", "[log][line]")
{
    std::string out = "12345678";
    append_line(out, {kTime, Level::info, false, "x", {}}, {});
    CHECK(out.starts_with("12345678{\"time\""));
}

#include "sallyport/config/command_line.hpp"

#include "config/flags.hpp"
#include "support/catch.hpp"

using namespace sallyport::config;

namespace {

using Words = std::vector<const char*>;
using Pairs = std::vector<std::pair<std::string, std::string>>;

std::string error_of(const Words& words)
{
    const auto line = parse_command_line(words);
    if (line) return "OK";
    // The second line is the same for all.
    CHECK(line.error().ends_with("\nTry 'sallyport --help'."));
    return line.error().substr(0, line.error().find('\n'));
}

} // namespace

TEST_CASE("Without a command it is 'run'", "[config]")
{
    CHECK(parse_command_line({}).value().command == Command::run);
    CHECK(parse_command_line(Words{"run"}).value().command == Command::run);
    CHECK(parse_command_line(Words{"check"}).value().command == Command::check);
    CHECK(parse_command_line(Words{"--help"}).value().command == Command::help);
    CHECK(parse_command_line(Words{"check", "-h"}).value().command == Command::help);
    CHECK(parse_command_line(Words{"--version"}).value().command == Command::version);
}

TEST_CASE("An audit is of this place, or of a running process", "[config]")
{
    CHECK(parse_command_line(Words{"audit"}).value().command == Command::audit);
    CHECK_FALSE(parse_command_line(Words{"audit"}).value().pid);
    CHECK(parse_command_line(Words{"audit", "--verify-log", "-"}).value().verify_log ==
          std::optional<std::string>{"-"});
    const auto line = parse_command_line(Words{"audit", "--json", "--pid", "812", "--to", "7766"}).value();
    CHECK(line.json);
    CHECK(line.pid == std::optional<std::uint32_t>{812});
    CHECK(line.overrides.flags == Pairs{{"to", "7766"}});
}

TEST_CASE("Flags stand before or after the command, with '=' or without", "[config]")
{
    const auto words = GENERATE(Words{"--to", "7766", "--log-level=debug", "--config", "f"},
                                Words{"run", "--to=7766", "--log-level", "debug", "--config=f"},
                                Words{"--config", "f", "--to", "7766", "run", "--log-level", "debug"});
    const auto line = parse_command_line(words);
    REQUIRE(line.has_value());
    CHECK(line->command == Command::run);
    CHECK(line->path == std::optional<std::string>{"f"});
    CHECK(line->overrides.flags == Pairs{{"to", "7766"}, {"log-level", "debug"}});
}

TEST_CASE("A self-signed certificate takes names only after '='", "[config]")
{
    CHECK(parse_command_line(Words{"--self-signed"}).value().overrides.flags == Pairs{{"self-signed", "true"}});
    CHECK(parse_command_line(Words{"--self-signed=a,b"}).value().overrides.flags == Pairs{{"self-signed", "a,b"}});
    const auto line = parse_command_line(Words{"--self-signed", "check", "--print"}).value();
    CHECK(line.command == Command::check);
    CHECK(line.print);
    CHECK(line.overrides.flags == Pairs{{"self-signed", "true"}});
}

TEST_CASE("Every flag of the table is taken, with its value", "[config]")
{
    for (const Flag& flag : flags()) {
        const std::string word = "--" + std::string{flag.name} + "=5";
        CAPTURE(word);
        const auto line = parse_command_line(Words{word.c_str()});
        REQUIRE(line.has_value());
        CHECK(line->overrides.flags == Pairs{{std::string{flag.name}, "5"}});
        CHECK(help().find("--" + std::string{flag.name}) != std::string::npos);
    }
}

TEST_CASE("What stands after -- is the app's, whatever it looks like", "[config]")
{
    const auto words = GENERATE(Words{"run", "--to", "7766", "--", "app", "--to", "check", "--", "-x", "--y="},
                                Words{"--to", "7766", "--", "app", "--to", "check", "--", "-x", "--y="});
    const auto line = parse_command_line(words).value();
    CHECK(line.command == Command::run);
    CHECK(line.overrides.flags == Pairs{{"to", "7766"}});
    CHECK(line.app == std::vector<std::string>{"app", "--to", "check", "--", "-x", "--y="});
    CHECK(parse_command_line(Words{"run"}).value().app.empty());
}

TEST_CASE("A mistake of usage is named, with what was meant", "[config]")
{
    const auto [words, expected] = GENERATE(table<Words, std::string>({
        {{"--lisen", ":443"}, "unknown flag '--lisen': did you mean '--listen'?"},
        {{"--log_level=info"}, "unknown flag '--log_level': did you mean '--log-level'?"},
        {{"--fence", "none"}, "unknown flag '--fence'"},
        {{"-x"}, "unknown flag '-x'"},
        {{"chek"}, "unexpected word 'chek': did you mean 'check'?"},
        {{"check", "file.yaml"}, "unexpected word 'file.yaml'"},
        {{"run", "check"}, "a second command 'check'"},
        {{"run", "--"}, "-- stands before the command of the app"},
        {{"check", "--", "ls"}, "the command after -- belongs to 'sallyport run'"},
        {{"audit", "--", "ls"}, "the command after -- belongs to 'sallyport run'"},
        {{"ls", "--", "ls"}, "unexpected word 'ls'"},
        {{"--to"}, "--to: 1 required ADDRESS missing"},
        {{"--to="}, "--to has no value after '='"},
        {{"--config", "a", "--config", "b"}, "--config is given twice"},
        {{"--print"}, "--print and --schema belong to 'sallyport check'"},
        {{"run", "--schema"}, "--print and --schema belong to 'sallyport check'"},
        {{"audit", "--print"}, "--print and --schema belong to 'sallyport check'"},
        {{"--ready"}, "--ready belongs to 'sallyport health'"},
        {{"check", "--ready"}, "--ready belongs to 'sallyport health'"},
        {{"health", "--json"}, "--json, --pid and --verify-log belong to 'sallyport audit'"},
        {{"health", "--print"}, "--print and --schema belong to 'sallyport check'"},
        {{"health", "--", "app"}, "the command after -- belongs to 'sallyport run'"},
        {{"--json"}, "--json, --pid and --verify-log belong to 'sallyport audit'"},
        {{"check", "--pid", "1"}, "--json, --pid and --verify-log belong to 'sallyport audit'"},
        {{"--verify-log", "f"}, "--json, --pid and --verify-log belong to 'sallyport audit'"},
        {{"audit", "--verify-log", "f", "--pid", "1"}, "--verify-log stands alone: it is about a file"},
        {{"audit", "--pid", "self"}, "--pid 'self' is no process id"},
        {{"audit", "--pid", "0"}, "--pid '0' is no process id"},
        {{"audit", "--pid", "-1"}, "--pid '-1' is no process id"},
        {{"audit", "--pid", "1", "--pid", "2"}, "--pid is given twice"},
        {{"check", "--print", "--schema"}, "--print contradicts --schema: give one of the two"},
    }));
    CAPTURE(words);
    CHECK(error_of(words) == expected);
}

TEST_CASE("A PEM text on the command line is refused and never repeated", "[config]")
{
    const auto words =
        GENERATE(Words{"--key", "-----BEGIN PRIVATE KEY-----\nMIGH"}, Words{"--key=-----BEGIN PRIVATE KEY-----\nMIGH"},
                 Words{"--cert=x-----BEGIN CERTIFICATE-----\nMIGH"}, Words{"-----BEGIN PRIVATE KEY-----\nMIGH"},
                 Words{"MIGH\n-----BEGIN PRIVATE KEY-----\nMIGH"});
    const auto line = parse_command_line(words);
    REQUIRE_FALSE(line.has_value());
    CHECK(line.error().find("MIGH") == std::string::npos);
}

TEST_CASE("The help is short and shows the defaults", "[config]")
{
    const std::string text = help();
    CHECK(std::ranges::count(text, '\n') < 50);
    CHECK(text.find("--log-level LEVEL") != std::string::npos);
    CHECK(text.find("[25s]") != std::string::npos);
}

TEST_CASE("A developer names apps and hosts as often as there are", "[config][dev]")
{
    const auto line = parse_command_line(Words{"dev", "--to", "7766", "--to", "api.localhost=7000", "--name",
                                               "a.localhost", "--name=b.localhost", "--shards", "1", "--trust"})
                          .value();
    CHECK(line.command == Command::dev);
    CHECK(line.dev.to == std::vector<std::string>{"7766", "api.localhost=7000"});
    CHECK(line.dev.names == std::vector<std::string>{"a.localhost", "b.localhost"});
    CHECK(line.dev.trust);
    CHECK_FALSE(line.dev.untrust);
    CHECK(line.overrides.flags == Pairs{{"shards", "1"}});
    CHECK(parse_command_line(Words{"dev", "--trust"}).has_value());
    CHECK(parse_command_line(Words{"dev", "--untrust"}).value().dev.untrust);
    CHECK(parse_command_line(Words{"dev", "--to", "1", "--", "app"}).value().app == std::vector<std::string>{"app"});
}

TEST_CASE("What is a developer's is nobody else's", "[config][dev]")
{
    CHECK(error_of({"--name", "a"}) == "--name, --trust and --untrust belong to 'sallyport dev'");
    CHECK(error_of({"check", "--trust"}) == "--name, --trust and --untrust belong to 'sallyport dev'");
    CHECK(error_of({"dev"}) == "'sallyport dev' needs to know where the app is: --to 7766");
    CHECK(error_of({"dev", "--trust", "--name", "a"}) == "there is no app without --to");
    CHECK(error_of({"dev", "--to", "1", "--config", "f"}) ==
          "'sallyport dev' takes no file, and nothing that belongs to 'check' or 'audit'");
    CHECK(error_of({"dev", "--to", "1", "--self-signed"}) ==
          "--self-signed contradicts 'sallyport dev', which makes certificates of its own");
    CHECK(error_of({"dev", "--to", "1", "--untrust"}) == "--untrust stands alone: it ends when it has been done");
}

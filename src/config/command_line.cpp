#include "sallyport/config/command_line.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <utility>

#include <CLI/CLI.hpp>

#include "flags.hpp"
#include "mistakes.hpp"
#include "schema.hpp"

namespace sallyport::config {

namespace {

/// A flag that is no key: the same row for parsing, help and suggestions.
struct Switch {
    std::string_view name;
    std::string_view value; ///< empty: it takes none
    std::string_view help;
};

constexpr Switch kConfig{"config", "FILE", "Read this YAML file (SALLYPORT_CONFIG_FILE; its text: SALLYPORT_CONFIG)"};
constexpr Switch kPrint{"print", "", "check: print the effective configuration, with every default"};
constexpr Switch kSchema{"schema", "", "check: print the JSON Schema of the file"};
constexpr Switch kJson{"json", "", "audit: print JSON"};
constexpr Switch kPid{"pid", "N", "audit: of the running sallyport with this process id"};
constexpr Switch kVerifyLog{"verify-log", "FILE",
                            "audit: look for gaps and edits in an audit log; - is standard input"};
constexpr Switch kReady{"ready", "", "health: ask whether new clients are welcome"};
constexpr Switch kName{"name", "HOST", "dev: a further host name of the app; as often as there are"};
constexpr Switch kTrust{"trust", "", "dev: make this machine's programs and browsers trust the certificates"};
constexpr Switch kUntrust{"untrust", "", "dev: take that back"};
constexpr Switch kHelp{"help", "", "Print this"};
constexpr Switch kVersion{"version", "", "Print the version"};
constexpr std::array kSwitches{kConfig, kPrint, kSchema, kJson,    kPid,  kVerifyLog,
                               kReady,  kName,  kTrust,  kUntrust, kHelp, kVersion};
constexpr std::array<std::string_view, 5> kCommands{"run", "check", "audit", "health", "dev"};

std::string dashed(std::string_view name)
{
    return "--" + std::string{name};
}

/// The parser, and what it has parsed into.
struct Parser {
    CLI::App app{"", "sallyport"};
    std::map<std::string_view, std::vector<std::string>> values; ///< of a flag, each time that it is given
    std::map<std::string_view, bool> switches;
    std::vector<std::string> path;
    std::vector<std::string> pid;
    std::vector<std::string> verify_log;
    std::vector<std::string> names;
    CLI::App* check{nullptr};
    CLI::App* audit{nullptr};
    CLI::App* health{nullptr};
    CLI::App* dev{nullptr};

    Parser()
    {
        app.set_help_flag();
        app.allow_extras();
        app.require_subcommand(0, 1);
        for (const Flag& flag : flags()) {
            if (flag.is_value_optional)
                app.add_flag(dashed(flag.name) + "{true}", values[flag.name]);
            else
                add_option(flag.name, values[flag.name], flag.value);
        }
        add_option(kConfig.name, path, kConfig.value);
        add_option(kPid.name, pid, kPid.value);
        add_option(kVerifyLog.name, verify_log, kVerifyLog.value);
        add_option(kName.name, names, kName.value);
        for (const Switch& one : {kPrint, kSchema, kJson, kReady, kTrust, kUntrust, kVersion})
            app.add_flag(dashed(one.name), switches[one.name]);
        app.add_flag("-h," + dashed(kHelp.name), switches[kHelp.name]);
        for (const std::string_view command : kCommands) {
            CLI::App* subcommand = app.add_subcommand(std::string{command});
            subcommand->set_help_flag();
            subcommand->fallthrough();
        }
        check = app.get_subcommand("check");
        audit = app.get_subcommand("audit");
        health = app.get_subcommand("health");
        dev = app.get_subcommand("dev");
    }

private:
    void add_option(std::string_view name, std::vector<std::string>& into, std::string_view shown)
    {
        app.add_option(dashed(name), into)->allow_extra_args(false)->type_name(std::string{shown});
    }
};

std::string usage_error(const std::string& text)
{
    return text + "\nTry 'sallyport --help'.";
}

std::string unexpected_word(const std::string& word)
{
    std::vector<std::string> known;
    for (const Flag& flag : flags())
        known.push_back(dashed(flag.name));
    for (const Switch& one : kSwitches)
        known.push_back(dashed(one.name));
    const std::vector<std::string_view> names{known.begin(), known.end()};
    const std::vector<std::string_view> commands{kCommands.begin(), kCommands.end()};
    const std::string name = word.substr(0, word.find('='));
    if (name.starts_with("-")) return "unknown flag " + quote(name) + suggestion(name, names);
    if (std::ranges::find(kCommands, word) != kCommands.end()) return "a second command " + quote(word);
    return "unexpected word " + quote(word) + suggestion(word, commands);
}

std::optional<std::uint32_t> process_id(const std::string& text)
{
    std::uint32_t pid{};
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, pid);
    return error == std::errc{} && rest == end && pid > 0 ? std::optional{pid} : std::nullopt;
}

CommandLine command_line_of(Parser& parser)
{
    CommandLine line;
    if (parser.check->parsed()) line.command = Command::check;
    if (parser.audit->parsed()) line.command = Command::audit;
    if (parser.health->parsed()) line.command = Command::health;
    if (parser.dev->parsed()) line.command = Command::dev;
    if (parser.switches[kVersion.name]) line.command = Command::version;
    if (parser.switches[kHelp.name]) line.command = Command::help;
    line.print = parser.switches[kPrint.name];
    line.schema = parser.switches[kSchema.name];
    line.dev = {.names = std::move(parser.names),
                .trust = parser.switches[kTrust.name],
                .untrust = parser.switches[kUntrust.name]};
    if (parser.dev->parsed()) line.dev.to = std::exchange(parser.values["to"], {});
    for (const Flag& flag : flags())
        for (std::string& value : parser.values[flag.name])
            line.overrides.flags.emplace_back(flag.name, std::move(value));
    if (!parser.path.empty()) line.path = parser.path.back();
    line.ready = parser.switches[kReady.name];
    line.json = parser.switches[kJson.name];
    if (!parser.verify_log.empty()) line.verify_log = parser.verify_log.back();
    if (!parser.pid.empty()) line.pid = process_id(parser.pid.back());
    return line;
}

std::optional<std::string> contradiction_of_dev(const CommandLine& line)
{
    const DevOrder& dev = line.dev;
    const bool asks = !dev.names.empty() || dev.trust || dev.untrust;
    if (line.command != Command::dev)
        return asks && (line.command == Command::run || line.command == Command::check ||
                        line.command == Command::audit)
                   ? std::optional<std::string>{"--name, --trust and --untrust belong to 'sallyport dev'"}
                   : std::nullopt;
    if (line.path || line.print || line.schema || line.json || line.pid || line.verify_log)
        return "'sallyport dev' takes no file, and nothing that belongs to 'check' or 'audit'";
    for (const auto& [name, value] : line.overrides.flags)
        for (const std::string_view own : {"cert", "key", "passphrase", "self-signed"})
            if (name == own) return dashed(name) + " contradicts 'sallyport dev', which makes certificates of its own";
    if (dev.untrust && (dev.trust || !dev.to.empty())) return "--untrust stands alone: it ends when it has been done";
    if (!dev.trust && !dev.untrust && dev.to.empty())
        return "'sallyport dev' needs to know where the app is: --to 7766";
    if (dev.to.empty() && (!dev.names.empty() || !line.app.empty())) return "there is no app without --to";
    return std::nullopt;
}

/// What is wrong with a line whose words are all known.
std::optional<std::string> contradiction(const CommandLine& line)
{
    const auto belongs_to = [&](Command command) {
        return line.command == command || line.command == Command::help || line.command == Command::version;
    };
    if ((line.print || line.schema) && !belongs_to(Command::check))
        return "--print and --schema belong to 'sallyport check'";
    if (line.ready && !belongs_to(Command::health)) return "--ready belongs to 'sallyport health'";
    if ((line.json || line.pid || line.verify_log) && !belongs_to(Command::audit))
        return "--json, --pid and --verify-log belong to 'sallyport audit'";
    if (line.verify_log && (line.json || line.pid)) return "--verify-log stands alone: it is about a file";
    if (!line.app.empty() && !belongs_to(Command::run) && !belongs_to(Command::dev))
        return "the command after -- belongs to 'sallyport run'";
    if (const auto wrong = contradiction_of_dev(line)) return wrong;
    if (line.print && line.schema) return "--print contradicts --schema: give one of the two";
    for (const auto& [name, value] : line.overrides.flags)
        if (value.find("-----BEGIN") != std::string::npos)
            return dashed(name) +
                   " takes a path: what stands on a command line is seen by all users of the machine. "
                   "Put the PEM text into the variable " +
                   variable_of(name);
    return std::nullopt;
}

std::string column(std::string text)
{
    constexpr std::size_t kWidth = 28;
    text.resize(std::max(text.size() + 1, kWidth), ' ');
    return text;
}

std::string help_of(const Flag& flag)
{
    const Key& key = key_at(flag.path);
    std::string text = "  " + dashed(flag.name) + (flag.is_value_optional ? "[=" : " ") + std::string{flag.value} +
                       (flag.is_value_optional ? "]" : "");
    text = column(text) + std::string{key.help};
    if (key.fallback && key.fallback->form == Node::Form::scalar) text += " [" + key.fallback->text + "]";
    return text + "\n";
}

} // namespace

std::expected<CommandLine, std::string> parse_command_line(std::span<const char* const> arguments)
{
    Parser parser;
    const auto end = std::ranges::find(arguments, std::string_view{"--"});
    const std::span command{end, arguments.end()};
    if (command.size() == 1) return std::unexpected{usage_error("-- stands before the command of the app")};
    arguments = arguments.first(arguments.size() - command.size());
    for (const std::string_view word : arguments)
        if (word.starts_with("--") && word.ends_with('='))
            return std::unexpected{
                usage_error(std::string{word.substr(0, word.size() - 1)} + " has no value after '='")};
    std::vector<std::string> reversed{arguments.rbegin(), arguments.rend()};
    try {
        parser.app.parse(reversed);
    } catch (const CLI::ParseError& error) {
        return std::unexpected{usage_error(error.what())};
    }
    const std::vector<std::string> rest = parser.app.remaining(true);
    if (!rest.empty()) return std::unexpected{usage_error(unexpected_word(rest.front()))};
    for (const auto& [flag, values] :
         {std::pair{kConfig, parser.path}, std::pair{kPid, parser.pid}, std::pair{kVerifyLog, parser.verify_log}})
        if (values.size() > 1) return std::unexpected{usage_error(dashed(flag.name) + " is given twice")};
    if (!parser.pid.empty() && !process_id(parser.pid.front()))
        return std::unexpected{usage_error("--pid " + quote(parser.pid.front()) + " is no process id")};
    CommandLine line = command_line_of(parser);
    if (!command.empty()) line.app.assign(command.begin() + 1, command.end());
    if (const auto wrong = contradiction(line)) return std::unexpected{usage_error(*wrong)};
    return line;
}

std::string help()
{
    std::string text =
        "Usage: sallyport [run] [FLAG…]     Serve.\n"
        "       sallyport [run] [FLAG…] -- COMMAND [ARGUMENT…]\n"
        "                                   Start the app too; serve when it listens; end with its exit code.\n"
        "       sallyport check [FLAG…]     Say what is wrong with the configuration: exit code 0 or 78.\n"
        "       sallyport dev --to 7766     HTTPS on this machine, by certificates of its own that browsers can "
        "trust.\n"
        "       sallyport audit [FLAG…]     Say how confined it would be here, or is: exit code 0, or 1 if a row "
        "fails.\n"
        "       sallyport health [FLAG…]    Ask the one that runs with this configuration how it is: exit code 0 or "
        "1.\n\n"
        "sallyport --to 7766 --cert tls.crt --key tls.key     443 with TLS, to the app on 7766\n\n";
    for (const Flag& flag : flags())
        text += help_of(flag);
    for (const Switch& one : kSwitches) {
        const std::string value = one.value.empty() ? std::string{} : " " + std::string{one.value};
        text += column("  " + dashed(one.name) + value) + std::string{one.help} + "\n";
    }
    return text +
           "\nA flag is also a variable: --log-level is SALLYPORT_LOG_LEVEL. Flags override variables, variables the\n"
           "file. SALLYPORT_CERT and SALLYPORT_KEY may hold the PEM texts themselves.\n";
}

} // namespace sallyport::config

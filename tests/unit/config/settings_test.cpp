// What flags and variables do, alone and over a file.
#include "sallyport/config/config.hpp"
#include "support/catch.hpp"
#include "unit/config/loading.hpp"

using namespace sallyport;
using namespace sallyport::config;
using namespace std::chrono_literals;

namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

const std::string kTwo = "listeners:\n"
                         " - {bind: \":443\", forward: a, tls: {certificates: [{cert: c, key: k}], profile: modern}}\n"
                         " - {bind: \":444\", forward: b, tls: {self_signed: true}}\n"
                         "upstreams: {a: {address: 1}, b: {address: 2}}\n";

} // namespace

TEST_CASE("Flags alone are one listener and the upstream 'app'", "[config]")
{
    const Config config = loaded({.flags = {{"to", "7766"}, {"cert", "tls.crt"}, {"key", "tls.key"}}});
    REQUIRE(config.listeners.size() == 1);
    CHECK(config.listeners[0].bind.text == ":443");
    CHECK(config.listeners[0].forward == "app");
    CHECK(config.listeners[0].tls.certificates == std::vector<Certificate>{{"tls.crt", "tls.key", ""}});
    REQUIRE(config.upstreams.size() == 1);
    CHECK(config.upstreams.at("app").address.list.at(0).text() == "127.0.0.1:7766");
}

TEST_CASE("Every flag takes effect, and so does its variable", "[config]")
{
    const Pairs flags{{"listen", "10.0.0.1:8443"},
                      {"to", "unix:/app"},
                      {"cert", "c"},
                      {"key", "k"},
                      {"passphrase", "file:p"},
                      {"mode", "tcp"},
                      {"shards", "2"},
                      {"log-level", "debug"},
                      {"log-format", "plain"},
                      {"keys", "in_worker"},
                      {"drain-delay", "3s"},
                      {"drain-timeout", "9s"},
                      {"max-connections", "11"},
                      {"sandbox", "none"},
                      {"app-uid", "1000"},
                      {"app-gid", "1001"},
                      {"app-restart", "on-failure"},
                      {"app-start-timeout", "7s"},
                      {"app-stop-signal", "INT"},
                      {"app-stop-timeout", "8s"}};
    Input by_variable;
    for (auto [name, value] : flags) {
        for (char& c : name)
            c = c == '-' ? '_' : static_cast<char>(std::toupper(c));
        by_variable.variables["SALLYPORT_" + name] = value;
    }
    const Config config = loaded({.flags = flags});
    CHECK(config.listeners.at(0).bind.text == "10.0.0.1:8443");
    CHECK(config.listeners[0].tls.certificates == std::vector<Certificate>{{"c", "k", "p"}});
    CHECK(config.upstreams.at("app").address.list.at(0).text() == "unix:/app");
    CHECK(config.shards == std::optional<std::uint16_t>{2});
    CHECK(config.log.level == LogLevel::debug);
    CHECK(config.log.format == LogFormat::plain);
    CHECK(config.keys == Keys::in_worker);
    CHECK(config.drain == Drain{.delay = 3s, .timeout = 9s});
    CHECK(config.sandbox.level == SandboxLevel::none);
    CHECK(config.limits.max_connections == std::optional<std::uint32_t>{11});
    CHECK(config.app == App{.upstream = "",
                            .uid = 1000,
                            .gid = 1001,
                            .restart = Restart::on_failure,
                            .start_timeout = 7s,
                            .stop_signal = StopSignal::interrupt,
                            .stop_timeout = 8s});
    CHECK(loaded(by_variable) == config);
}

TEST_CASE("Flags override variables, which override the file", "[config]")
{
    Input given{.text = file_with("log: {level: error}\nshards: 1\nkeys: in_worker\n")};
    given.variables = {{"SALLYPORT_LOG_LEVEL", "warn"}, {"SALLYPORT_SHARDS", "2"}};
    given.flags = {{"shards", "3"}};
    const Config config = loaded(given);
    CHECK(config.keys == Keys::in_worker);
    CHECK(config.log.level == LogLevel::warn);
    CHECK(config.shards == std::optional<std::uint16_t>{3});
}

TEST_CASE("An empty variable is not set", "[config]")
{
    const Input given{.text = file_with(""), .variables = {{"SALLYPORT_SHARDS", ""}, {"SALLYPORT_CONFIG_FILE", ""}}};
    CHECK(mistakes_of(given) == "OK");
}

TEST_CASE("A file without listeners or upstreams is completed", "[config]")
{
    const auto text =
        GENERATE(as<std::string>{}, "log: {level: warn}\n", "listeners:\nupstreams:\nlog: {level: warn}\n",
                 "listeners: []\nupstreams: {}\nlog: {level: warn}\n");
    const Config config = loaded({.text = text, .flags = {{"to", "1"}, {"self-signed", "true"}}});
    CHECK(config.listeners.at(0).bind.text == ":443");
    CHECK(config.log.level == LogLevel::warn);

    const Config with_upstream =
        loaded({.text = "upstreams: {web: {address: 5}}\n", .flags = {{"listen", ":1443"}, {"self-signed", "true"}}});
    CHECK(with_upstream.listeners.at(0).forward == "web");
    CHECK(with_upstream.listeners[0].bind.text == ":1443");
}

TEST_CASE("Flags change the only listener and the only upstream of a file", "[config]")
{
    const Config config = loaded({.text = file_with(""), .flags = {{"listen", ":8443"}, {"to", "9"}}});
    CHECK(config.listeners.at(0).bind.text == ":8443");
    CHECK(config.upstreams.at("app").address.list.at(0).text() == "127.0.0.1:9");
    CHECK(mistakes_of({.text = kTwo, .flags = {{"listen", ":1"}, {"to", "9"}}}) ==
          "--listen: is not clear: the configuration has 2 listeners; change it there\n"
          "--to: is not clear: the configuration has 2 upstreams; change it there");
}

TEST_CASE("A certificate by flag is that of listeners with tls, or of all that do not redirect", "[config]")
{
    const std::string upstreams = "upstreams: {a: {address: 1}}\n";
    const auto with_tls = [&](const std::string& listeners) {
        const Config config = loaded({.text = "listeners: " + listeners + upstreams, .flags = {{"cert", "c"}}});
        std::string which;
        for (const Listener& listener : config.listeners)
            which += listener.tls.is_given() ? 'T' : '-';
        return which;
    };
    CHECK(with_tls("[{bind: 1, mode: http}, {bind: 2, mode: http, tls: {profile: modern}}]\n") == "-T");
    CHECK(with_tls("[{bind: 1, mode: http, redirect: https}, {bind: 2, mode: http}, {bind: 3, mode: tcp}]\n") == "-TT");
}

TEST_CASE("A listener that flags make has TLS, and so needs a certificate", "[config]")
{
    CHECK(mistakes_of({.flags = {{"to", "1"}, {"mode", "http"}}})
              .starts_with("--to: this listener has no certificate: give --cert and --key"));
}

TEST_CASE("A certificate by flag is that of every listener", "[config]")
{
    const Config config = loaded({.text = kTwo, .flags = {{"cert", "c9"}, {"key", "k9"}}});
    for (const Listener& listener : config.listeners) {
        CHECK(listener.tls.certificates == std::vector<Certificate>{{"c9", "k9", ""}});
        CHECK(listener.tls.self_signed.empty());
    }
    CHECK(config.listeners[0].tls.profile == Profile::modern);

    const Config made = loaded({.text = kTwo, .flags = {{"self-signed", "a.example,b.example"}}});
    for (const Listener& listener : made.listeners) {
        CHECK(listener.tls.certificates.empty());
        CHECK(listener.tls.self_signed == std::vector<std::string>{"a.example", "b.example"});
    }
}

TEST_CASE("Of a certificate and a self-signed one the later word counts, and two in one place contradict", "[config]")
{
    const Input made{.flags = {{"to", "1"}, {"self-signed", "true"}},
                     .variables = {{"SALLYPORT_CERT", "c"}, {"SALLYPORT_KEY", "k"}}};
    CHECK(loaded(made).listeners[0].tls.self_signed == std::vector<std::string>{"localhost"});

    const Input given{.flags = {{"to", "1"}, {"cert", "c"}}, .variables = {{"SALLYPORT_SELF_SIGNED", "true"}}};
    CHECK(loaded(given).listeners[0].tls.certificates == std::vector<Certificate>{{"c", "", ""}});

    CHECK(mistakes_of({.flags = {{"to", "1"}, {"cert", "c"}, {"self-signed", "true"}}}) ==
          "--self-signed: contradicts --cert: give one of the two");
    CHECK(mistakes_of({.flags = {{"to", "1"}, {"cert", "c"}}, .variables = {{"SALLYPORT_SELF_SIGNED", "false"}}}) ==
          "OK");
}

TEST_CASE("The PEM pair of the environment is the certificate unless a flag says otherwise", "[config]")
{
    Input given{.flags = {{"to", "1"}}, .pem_in_environment = true};
    CHECK(loaded(given).listeners[0].tls.certificates == std::vector<Certificate>{{"env:SALLYPORT_CERT", "", ""}});

    given.variables = {{"SALLYPORT_PASSPHRASE", "file:p"}};
    CHECK(loaded(given).listeners[0].tls.certificates == std::vector<Certificate>{{"env:SALLYPORT_CERT", "", "p"}});

    given.variables.clear();
    given.flags = {{"to", "1"}, {"cert", "c"}, {"key", "k"}};
    CHECK(loaded(given).listeners[0].tls.certificates == std::vector<Certificate>{{"c", "k", ""}});

    given.flags = {{"to", "1"}, {"key", "k"}};
    CHECK(mistakes_of(given) == "--key: the key is the one in SALLYPORT_KEY: leave 'key' out");

    given.flags = {{"to", "1"}};
    given.variables = {{"SALLYPORT_KEY", "/k"}};
    CHECK(mistakes_of(given).starts_with("SALLYPORT_KEY: is a path, but the other one of SALLYPORT_CERT and "
                                         "SALLYPORT_KEY is a PEM text: give both in one way"));
}

TEST_CASE("A file may name the PEM pair of the environment for one of its listeners", "[config]")
{
    const Input given{.text =
                          "listeners: [{bind: \":1\", tls: {certificates: [{cert: env:SALLYPORT_CERT}, {cert: c}]}}]\n"
                          "upstreams: {a: {address: 1}}\n",
                      .pem_in_environment = true};
    // The environment's pair replaces the file's certificates, as every setting of the environment does.
    CHECK(loaded(given).listeners[0].tls.certificates == std::vector<Certificate>{{"env:SALLYPORT_CERT", "", ""}});
}

TEST_CASE("Mistakes in flags and variables name them", "[config]")
{
    const auto [flags, variables, expected] = GENERATE(table<Pairs, std::map<std::string, std::string>, std::string>({
        {{{"to", "1"}, {"self-signed", "true"}, {"shards", "x"}},
         {},
         "--shards: shards 'x' is not a whole number, nor 'auto'"},
        {{{"to", "1"}, {"self-signed", "a,,b"}},
         {},
         "--self-signed: self_signed '' is empty: it must be a host name or an IP address"},
        {{{"to", "1"}, {"self-signed", "true"}, {"mode", "grpc"}}, {}, "--mode: mode 'grpc' is not one of tcp, http"},
        {{{"to", "1"}, {"to", "2"}, {"self-signed", "true"}}, {}, "--to: is given twice"},
        {{{"to", "1"}, {"self-signed", "true"}, {"nonsense", "1"}}, {}, "--nonsense: unknown flag"},
        {{{"to", "1"}, {"self-signed", "true"}},
         {{"SALLYPORT_LISEN", ":1"}},
         "SALLYPORT_LISEN: unknown variable: did you mean 'SALLYPORT_LISTEN'?"},
        {{{"to", "1"}, {"self-signed", "true"}},
         {{"SALLYPORT_XYZZY_PLUGH", "1"}},
         "SALLYPORT_XYZZY_PLUGH: unknown variable"},
        {{{"self-signed", "true"}},
         {{"SALLYPORT_TO", "app"}},
         "SALLYPORT_TO: address 'app' has no port: write 'app:7766', or another one"},
        {{{"to", "1"}, {"key", "k"}, {"self-signed", "true"}},
         {},
         "--key: needs a certificate too: --cert or SALLYPORT_CERT"},
        {{{"listen", ":1"}, {"self-signed", "true"}},
         {},
         "configuration: there is no app to forward to: add 'upstreams', or give --to"},
        {{{"to", "1"}},
         {},
         "--to: this listener has no certificate: give --cert and --key (SALLYPORT_CERT, SALLYPORT_KEY), or "
         "tls.certificates in the file, or --self-signed for one that is made at start"},
    }));
    CAPTURE(expected);
    CHECK(mistakes_of({.flags = flags, .variables = variables}) == expected);
}

TEST_CASE("The variables that Kubernetes makes for a Service named sallyport are no mistakes", "[config]")
{
    const auto [name, is_ours] = GENERATE(table<std::string, bool>({
        {"SALLYPORT_SERVICE_HOST", false},
        {"SALLYPORT_SERVICE_PORT", false},
        {"SALLYPORT_SERVICE_PORT_HTTPS", false},
        {"SALLYPORT_PORT", false},
        {"SALLYPORT_PORT_443_TCP", false},
        {"SALLYPORT_PORT_443_TCP_ADDR", false},
        {"SALLYPORT_PORT_443_TCP_PORT", false},
        {"SALLYPORT_PORT_443_TCP_PROTO", false},
        {"SALLYPORT_ADMIN_SERVICE_HOST", false},
        {"SALLYPORT_ADMIN_PORT_80_TCP", false},
        {"SALLYPORT_PORTS", true},
        {"SALLYPORT_SERVICE", true},
        {"OTHER", false},
    }));
    CAPTURE(name);
    const Input given{.flags = {{"to", "1"}, {"self-signed", "true"}}, .variables = {{name, "x"}}};
    CHECK((mistakes_of(given) != "OK") == is_ours);
}

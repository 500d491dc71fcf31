#include "sallyport/config/load.hpp"

#include <filesystem>
#include <fstream>

#include <unistd.h>

#include "support/catch.hpp"
#include "unit/config/loading.hpp"

using namespace sallyport;
using namespace sallyport::config;
using namespace std::chrono_literals;

TEST_CASE("A small file has every default", "[config]")
{
    const Config config = loaded({.text = file_with("")});
    REQUIRE(config.listeners.size() == 1);
    CHECK(config.listeners[0].forward == "app");
    CHECK(config.listeners[0].tls.self_signed == std::vector<std::string>{"localhost"});
    CHECK(config.listeners[0].tls.profile == Profile::intermediate);
    CHECK(config.upstreams.at("app").address.list.at(0).text() == "127.0.0.1:7766");
    CHECK(config.limits == Limits{});
    CHECK(config.log == Log{});
    CHECK(config.user == User{});
    CHECK(config.certificates == Certificates{});
    CHECK(config.drain == Drain{});
    CHECK_FALSE(config.shards.has_value());
}

TEST_CASE("Every key of a file takes effect", "[config]")
{
    const Config config = loaded({.text = R"(
listeners:
  - bind: "unix:/run/x.sock"
    socket_mode: 0600
    mode: tcp
    forward: b
    tls:
      profile: modern
      certificates: [{cert: c1, key: k1, passphrase: "file:p1"}, {cert: c2}]
      alpn: [h2, http/1.1]
      session_tickets: false
      ticket_lifetime: 1h
upstreams: {a: {address: 1}, b: {address: "unix:/b"}}
shards: 3
keys: in_worker
sandbox: {level: none, seccomp: log}
user: {uid: 1, gid: 2}
limits: {max_connections: 7, handshake_timeout: 1s, connect_timeout: 2s, idle_timeout: 3s, buffers: 2MiB}
certificates: {check_every: 5m}
drain: {delay: none, timeout: 4s, until_upstream_gone: true}
reload: {drain_timeout: 1h, max_generations: 3, last_call: 4s}
bypass: {strict: true}
startup: {wait_for_upstream: 5s}
admin: {bind: "127.0.0.1:9901", timeout: 6s, max_connections: 7}
log: {level: none, format: plain, queue_lines: 100, audit: syslog}
)"});
    const Listener& listener = config.listeners.at(0);
    CHECK(listener.bind.text == "unix:/run/x.sock");
    CHECK(listener.bind.socket_mode == 0600U);
    CHECK(listener.forward == "b");
    CHECK(listener.tls.profile == Profile::modern);
    CHECK(listener.tls.certificates == std::vector<Certificate>{{"c1", "k1", "p1"}, {"c2", "", ""}});
    CHECK(listener.tls.self_signed.empty());
    CHECK(listener.tls.alpn == std::vector<std::string>{"h2", "http/1.1"});
    CHECK_FALSE(listener.tls.session_tickets);
    CHECK(listener.tls.ticket_lifetime == 1h);
    CHECK(config.upstreams.at("b").address.list.at(0).text() == "unix:/b");
    CHECK(config.shards == std::optional<std::uint16_t>{3});
    CHECK(config.keys == Keys::in_worker);
    CHECK(config.sandbox == Sandbox{SandboxLevel::none, Seccomp::log});
    CHECK(config.user == User{1, 2});
    CHECK(config.limits == Limits{7, 1s, 2s, 3s, 2 * 1024 * 1024});
    CHECK(config.certificates.check_every == 5min);
    CHECK(config.drain == Drain{.delay = 0s, .timeout = 4s, .until_upstream_gone = true});
    CHECK(config.reload == Reload{.drain_timeout = 1h, .max_generations = 3, .last_call = 4s});
    CHECK(config.bypass.strict);
    CHECK(config.startup.wait_for_upstream == 5s);
    CHECK(config.admin.bind.address == SocketAddress::parse("127.0.0.1:9901"));
    CHECK(config.admin.timeout == 6s);
    CHECK(config.admin.max_connections == 7);
    CHECK(config.log == Log{LogLevel::none, LogFormat::plain, 100, {AuditPlace::syslog, -1}});
}

TEST_CASE("Every key of what is bounded and written of requests takes effect", "[config]")
{
    const Config config = loaded({.text = file_with(R"(
limits:
  http:
    max_header_size: 1KiB
    max_uri_size: 256B
    max_header_count: 10
    max_trailer_size: 128B
    max_body_size: 1048576GiB
    header_timeout: 1ms
    body_timeout: 2ms
    min_body_rate: 3B
    keep_alive_timeout: 4ms
    response_timeout: 5ms
    tunnel_idle: 168h
    close_timeout: 6ms
    lingering_timeout: 7ms
    lingering_time: 8ms
    max_requests_per_connection: 1
    max_concurrent_streams: 2
log:
  access: {format: structured, headers: [accept], redact: [a b, "1"]}
)")});
    CHECK(config.limits.http ==
          HttpLimits{1024, 256, 10, 128, 1ULL << 50, 1ms, 2ms, 3, 4ms, 5ms, 168h, 6ms, 7ms, 8ms, 1, 2});
    CHECK(config.log.access == AccessLog{AccessFormat::structured, {"accept"}, {"a b", "1"}});
}

TEST_CASE("An empty section is one with its defaults, and an empty optional text is not given", "[config]")
{
    const Config config =
        loaded({.text = "listeners: [{bind: \":443\", forward: \"${F:-}\", tls: {certificates: [{cert: c, key: "
                        "\"\", passphrase: \"${P:-}\"}]}}]\n"
                        "upstreams: {app: {address: 1}}\nlimits:\nlog: {}\nuser: ~\n"});
    CHECK(config.limits == Limits{});
    CHECK(config.listeners[0].forward == "app");
    CHECK(config.listeners[0].tls.certificates == std::vector<Certificate>{{"c", "", ""}});
}

TEST_CASE("Variables are expanded in every kind of value", "[config]")
{
    const Input given{
        .text = file_with("shards: ${N}\nlimits: {idle_timeout: \"${T:-7s}\"}\nlog: {level: \"${L}\"}\n", "${A}"),
        .variables = {{"N", "5"}, {"L", "warn"}, {"A", "[::1]:9"}}};
    const Config config = loaded(given);
    CHECK(config.shards == std::optional<std::uint16_t>{5});
    CHECK(config.limits.idle_timeout == 7s);
    CHECK(config.log.level == LogLevel::warn);
    CHECK(config.upstreams.at("app").address.list.at(0).text() == "[::1]:9");
}

TEST_CASE("A self-signed certificate is for localhost or for the names given", "[config]")
{
    const auto names = [](const std::string& value) {
        return loaded({.text = "listeners: [{bind: \":443\", tls: {self_signed: " + value +
                               "}}]\nupstreams: {app: {address: 1}}\n"})
            .listeners[0]
            .tls.self_signed;
    };
    CHECK(names("true") == std::vector<std::string>{"localhost"});
    CHECK(names("[a.example, 10.0.0.1]") == std::vector<std::string>{"a.example", "10.0.0.1"});
}

namespace {

struct TemporaryFile {
    std::string path =
        std::filesystem::temp_directory_path() / ("sallyport-load-" + std::to_string(getpid()) + ".yaml");
    explicit TemporaryFile(const std::string& text) { std::ofstream{path} << text; }
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;
    ~TemporaryFile() { std::filesystem::remove(path); }
};

std::uint16_t shards_of(const Sources& sources)
{
    return load(sources).value().shards.value();
}

} // namespace

TEST_CASE("The file of the command line comes before those of the environment, and these before the usual one",
          "[config]")
{
    const TemporaryFile file{file_with("shards: 1\n")};
    const std::string text = file_with("shards: 2\n");

    Sources sources = Input{.text = text}.sources();
    sources.path = file.path;
    CHECK(shards_of(sources) == 1);

    sources.path.reset();
    CHECK(shards_of(sources) == 2);

    sources = Input{.variables = {{"SALLYPORT_CONFIG_FILE", file.path}}}.sources();
    CHECK(shards_of(sources) == 1);

    sources = Input{}.sources();
    sources.default_path = file.path;
    CHECK(shards_of(sources) == 1);

    CHECK(mistakes_of({.text = text, .variables = {{"SALLYPORT_CONFIG_FILE", file.path}}}) ==
          "SALLYPORT_CONFIG_FILE: contradicts SALLYPORT_CONFIG: give one of the two");
}

TEST_CASE("A file that cannot be read is named with the reason", "[config]")
{
    const auto mistake = [](const std::string& path) {
        Sources sources = Input{}.sources();
        sources.path = path;
        return load(sources).error().at(0).print();
    };
    CHECK(mistake("/nowhere/x.yaml") == "/nowhere/x.yaml: cannot be read: No such file or directory");
    CHECK(mistake("/tmp") == "/tmp: this is a directory: name the file in it");
}

TEST_CASE("The block of the environment is read by name", "[config]")
{
    const char* const block[] = {"SALLYPORT_TO=7766", "SALLYPORT_TOO", "SALLYPORT_LOG_LEVEL=", "X=a=b", nullptr};
    Sources sources;
    read_environment(block, sources);
    CHECK(sources.environment("SALLYPORT_TO") == std::optional<std::string>{"7766"});
    CHECK(sources.environment("SALLYPORT_LOG_LEVEL") == std::optional<std::string>{""});
    CHECK(sources.environment("X") == std::optional<std::string>{"a=b"});
    CHECK_FALSE(sources.environment("SALLYPORT_TOO").has_value());
    CHECK_FALSE(sources.environment("SALLYPORT").has_value());
    CHECK(sources.environment_names ==
          std::vector<std::string>{"SALLYPORT_TO", "SALLYPORT_TOO", "SALLYPORT_LOG_LEVEL", "X"});
}

TEST_CASE("A configuration is given by a text, a flag or a variable, be it good or bad", "[config]")
{
    CHECK_FALSE(is_given(Input{}.sources()));
    CHECK_FALSE(is_given(Input{.variables = {{"PATH", "/bin"}, {"SALLYPORT_TO", ""}}}.sources()));
    CHECK(is_given(Input{.text = "nonsense"}.sources()));
    CHECK(is_given(Input{.flags = {{"to", "x"}}}.sources()));
    CHECK(is_given(Input{.variables = {{"SALLYPORT_SHARDS", "2"}}}.sources()));
}

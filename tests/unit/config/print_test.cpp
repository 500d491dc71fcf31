// What is printed and what lies in config/: the effective configuration, the JSON Schema, the two example files.
#include <fstream>
#include <iterator>

#include "config/schema.hpp"
#include "config/yaml.hpp"
#include "support/catch.hpp"
#include "unit/config/loading.hpp"

using namespace sallyport;
using namespace sallyport::config;

namespace {

std::string text_of(const std::string& name)
{
    std::ifstream file{std::string{SALLYPORT_SOURCE_DIR} + "/config/" + name};
    REQUIRE(file.is_open());
    return {std::istreambuf_iterator<char>{file}, {}};
}

/// The keys that the tree lacks, as paths; `example` may hold a key in any of its list items.
void find_missing(const std::vector<const Node*>& mappings, const std::vector<Key>& keys, const std::string& path,
                  std::vector<std::string>& missing)
{
    for (const Key& key : keys) {
        std::vector<const Node*> found;
        for (const Node* mapping : mappings)
            if (const Node* value = mapping->find(key.name)) found.push_back(value);
        const std::string here = path + std::string{key.name};
        if (found.empty()) missing.push_back(here);
        std::vector<const Node*> inside;
        for (const Node* value : found) {
            if (key.holds == Holds::mapping) inside.push_back(value);
            for (const Node& item : value->items)
                if (key.holds == Holds::list || key.holds == Holds::named) inside.push_back(&item);
        }
        if (!found.empty()) find_missing(inside, key.inside, here + ".", missing);
    }
}

} // namespace

TEST_CASE("What is printed loads to the same configuration", "[config]")
{
    const auto text = GENERATE(as<std::string>{}, file_with(""), text_of("sallyport.yaml"), text_of("minimal.yaml"), R"(
listeners:
  - {bind: "443", forward: "b.c-d_e", tls: {certificates: [{cert: "/a $$b/${X:-x}.pem"}], alpn: [h2, "no"]}}
  - {bind: "unix:@abstract", tls: {self_signed: ["*.example", "::1", "1.2"], session_tickets: false}, forward: null-1}
  - {bind: "unix:/run/a b.sock", socket_mode: "0600", tls: {self_signed: true, ticket_lifetime: 90s}, forward: null-1}
  - {bind: "fd:3", tls: {self_signed: true, profile: modern}, forward: null-1}
  - {bind: "systemd:https", tls: {certificates: [{cert: c, key: "#k", passphrase: "file:p: q"}]}, forward: null-1}
upstreams: {b.c-d_e: {address: "[::1]:80"}, null-1: {address: "unix:/x y"}}
shards: 64
keys: in_worker
sandbox: {level: none, seccomp: log}
user: {uid: 4294967294, gid: 1}
app: {upstream: null-1, uid: 1, gid: 4294967294, restart: on-failure, start_timeout: 1ms, stop_signal: WINCH, stop_timeout: 1h}
limits: {max_connections: 1, handshake_timeout: 1ms, connect_timeout: 1500ms, idle_timeout: 25h, buffers: 1025KiB}
drain: {timeout: 61s}
bypass: {strict: true}
log: {level: none, format: plain, queue_lines: 64, audit: "fd:7"}
)");
    const Config config = loaded({.text = text});
    const std::string printed = print(config);
    CAPTURE(printed);
    CHECK(loaded({.text = printed}) == config);
    CHECK(print(loaded({.text = printed})) == printed);
}

TEST_CASE("The PEM pair of the environment is printed by name and loads again", "[config]")
{
    const Input given{.flags = {{"to", "1"}}, .pem_in_environment = true};
    const std::string printed = print(loaded(given));
    CHECK(printed.find("- cert: \"env:SALLYPORT_CERT\"") != std::string::npos);
    CHECK(loaded({.text = printed, .pem_in_environment = true}) == loaded(given));
}

TEST_CASE("The printed configuration shows every default", "[config]")
{
    CHECK(print(loaded({.text = file_with("")})) == R"(listeners:
  - bind: ":443"
    mode: tcp
    forward: app
    tls:
      profile: intermediate
      self_signed:
        - localhost
      alpn: []
      session_tickets: true
      ticket_lifetime: 2h
upstreams:
  app:
    address: "127.0.0.1:7766"
shards: auto
keys: keyholder
sandbox:
  level: enforce
  seccomp: enforce
user:
  uid: 65532
  gid: 65532
app:
  uid: 65533
  gid: 65533
  restart: none
  start_timeout: 1m
  stop_signal: TERM
  stop_timeout: 4s
limits:
  max_connections: auto
  handshake_timeout: 10s
  connect_timeout: 3s
  idle_timeout: 5m
  buffers: 64MiB
drain:
  timeout: 25s
bypass:
  strict: false
log:
  level: info
  format: json
  queue_lines: 8192
  audit: stdout
)");
}

TEST_CASE("config/sallyport.yaml has every key with its default", "[config]")
{
    Mistakes mistakes;
    const std::string text = text_of("sallyport.yaml");
    const auto root = read_yaml(text, "sallyport.yaml", mistakes);
    REQUIRE(root.has_value());
    std::vector<std::string> missing;
    find_missing({&*root}, schema_keys(), "", missing);
    CHECK(missing == std::vector<std::string>{});

    Config expected;
    const Config config = loaded({.text = text});
    expected.listeners = config.listeners;
    expected.upstreams = config.upstreams;
    expected.app.upstream = "app";
    CHECK(config == expected);
    for (const Listener& listener : config.listeners) {
        Listener plain;
        plain.bind = listener.bind;
        plain.bind.socket_mode = Bind{}.socket_mode;
        plain.forward = listener.forward;
        plain.tls.certificates = listener.tls.certificates;
        plain.tls.self_signed = listener.tls.self_signed;
        CHECK(listener == plain);
    }
}

TEST_CASE("config/sallyport.yaml has a comment for each key", "[config]")
{
    std::ifstream file{std::string{SALLYPORT_SOURCE_DIR} + "/config/sallyport.yaml"};
    std::string line;
    std::string before;
    for (int number = 1; std::getline(file, line); before = line, ++number) {
        const std::size_t start = line.find_first_not_of(" -");
        if (start == std::string::npos || line[start] == '#' || line.find(':') == std::string::npos) continue;
        const std::string key = line.substr(start, line.find(':') - start);
        // Of the second listener and of the upstream's own name only what is new has a comment.
        if (before.find("# ") != std::string::npos || key == "app") continue;
        CAPTURE(number, key);
        CHECK((key == "forward" || key == "tls"));
    }
}

TEST_CASE("config/sallyport.schema.json is the schema of the rows", "[config]")
{
    CHECK(text_of("sallyport.schema.json") == json_schema());
}

TEST_CASE("A key is found by its path", "[config]")
{
    CHECK(key_at("log.level").fallback->text == "info");
    CHECK(key_at("listeners.tls.certificates.cert").presence == Presence::required);
    CHECK(key_at("upstreams.address").holds == Holds::value);
}

TEST_CASE("Every row has a help of one sentence", "[config]")
{
    std::vector<std::vector<Key>> left{schema_keys()};
    while (!left.empty()) {
        const std::vector<Key> keys = left.back();
        left.pop_back();
        for (const Key& key : keys) {
            CAPTURE(key.name);
            CHECK(key.help.size() > 5);
            CHECK_FALSE(key.help.ends_with('.'));
            if (!key.inside.empty()) left.push_back(key.inside);
        }
    }
}

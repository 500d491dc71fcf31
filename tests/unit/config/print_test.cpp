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
  - {bind: "443", mode: tcp, forward: "b.c-d_e", tls: {certificates: [{cert: "/a $$b/${X:-x}.pem"}], alpn: [h2, "no"]}}
  - {bind: "unix:@abstract", tls: {self_signed: ["*.example", "::1", "1.2"], session_tickets: false}, forward: null-1}
  - {bind: "unix:/run/a b.sock", socket_mode: "0600", tls: {self_signed: true, ticket_lifetime: 90s}, forward: null-1}
  - {bind: "fd:3", tls: {self_signed: true, profile: modern}, forward: null-1, proxy_protocol: {mode: required, trusted: [unix, "::/0"], version: v1, max_size: 257B}}
  - {bind: "systemd:https", tls: {certificates: [{cert: c, key: "#k", passphrase: "file:p: q"}]}, forward: null-1}
  - {bind: ":80", mode: http, redirect: "https:8443", routes: [{path: /a, methods: GET, forward: null-1}]}
  - {bind: ":81", mode: http, forward: null-1, forwarded: none, tls: {self_signed: true, alpn: [http/1.1]}, hsts: {max_age: 90s}}
  - {bind: ":82", mode: http, tls: {self_signed: true}, trusted_proxies: [unix, "::/0"], routes: [{host: "*.a", forward: null-1, headers: {response: {set: {X: "$$x: 1"}}}}]}
upstreams:
  b.c-d_e: {address: ["h2c://[::1]:80", "h2c://app.internal:1"], idle: 1ms, max_idle: 0, skip_refused: 1h}
  null-1: {address: "unix:/x y", send_proxy_protocol: v2-crc32c}
dns: {servers: [10.0.0.2, "fd00::2", "127.0.0.1:8600"], timeout: 1ms, min_ttl: 2s, max_ttl: 168h}
shards: 64
keys: in_worker
certificates: {check_every: 1500ms}
sandbox: {level: none, seccomp: log}
user: {uid: 4294967294, gid: 1}
app: {upstream: null-1, uid: 1, gid: 4294967294, restart: on-failure, start_timeout: 1ms, stop_signal: WINCH, stop_timeout: 1h}
limits: {max_connections: 1, handshake_timeout: 1ms, connect_timeout: 1500ms, idle_timeout: 25h, buffers: 1025KiB, http: {max_header_size: 65KiB, max_uri_size: 1025B, tunnel_idle: 1h, max_body_size: 10GiB}, http2: {stream_window: 65KiB, connection_window: 65KiB}}
drain: {delay: none, timeout: 61s, until_upstream_gone: true}
reload: {drain_timeout: 1m, max_generations: 16, last_call: 5m}
bypass: {strict: true}
log: {level: none, format: plain, queue_lines: 64, audit: "fd:7", access: {headers: ["x-a", "no"], redact: ["a: b", "#1"]}}
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

namespace {

const std::string kDefaults = R"(listeners:
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
    idle: 4s
    max_idle: 256
    skip_refused: 1s
    send_proxy_protocol: none
dns:
  servers: []
  timeout: 2s
  min_ttl: 1s
  max_ttl: 1m
shards: auto
keys: keyholder
certificates:
  check_every: 30s
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
  http:
    max_header_size: 64KiB
    max_uri_size: 8KiB
    max_header_count: 100
    max_trailer_size: 8KiB
    max_body_size: 16GiB
    header_timeout: 10s
    body_timeout: 30s
    min_body_rate: 500B
    keep_alive_timeout: 75s
    response_timeout: 1m
    tunnel_idle: 1h
    close_timeout: 2s
    lingering_timeout: 5s
    lingering_time: 30s
    max_requests_per_connection: 10000
    max_concurrent_streams: 100
  http2:
    stream_window: 256KiB
    connection_window: 1MiB
drain:
  delay: auto
  timeout: 25s
  until_upstream_gone: false
reload:
  drain_timeout: none
  max_generations: auto
  last_call: 2s
bypass:
  strict: false
startup:
  wait_for_upstream: none
admin:
  bind: auto
  timeout: 5s
  max_connections: 16
log:
  level: info
  format: json
  queue_lines: 8192
  audit: stdout
  access:
    format: structured
    headers: []
    redact: []
)";

} // namespace

TEST_CASE("The printed configuration shows every default", "[config]")
{
    CHECK(print(loaded({.text = file_with("")})) == kDefaults);
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
        plain.mode = listener.mode;
        if (listener.proxy_protocol.mode != ProxyHeader::none) {
            plain.proxy_protocol.mode = ProxyHeader::required;
            plain.proxy_protocol.trusted = listener.proxy_protocol.trusted;
        }
        if (listener.mode == Mode::http) {
            plain.redirect = listener.redirect;
            plain.routes = listener.routes;
            plain.trusted_proxies = listener.trusted_proxies;
            plain.hsts.max_age = listener.hsts.max_age;
            plain.headers = listener.headers;
            if (listener.tls.is_given()) plain.tls.alpn = {"h2", "http/1.1"};
        }
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
        // Of further listeners and of the upstream's own name only what is new has a comment.
        if (before.find("# ") != std::string::npos || key == "app") continue;
        CAPTURE(number, key);
        CHECK((key == "forward" || key == "tls" || key == "mode"));
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

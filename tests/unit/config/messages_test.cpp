// The messages, word by word and place by place: what an operator reads.
#include "support/catch.hpp"
#include "unit/config/loading.hpp"

using namespace sallyport::config;

namespace {

const std::string kWrongFile = R"(listeners:
  - bind: ":70000"
    mode: http
    forwrd: app
    tls:
      profile: moden
      certificates:
        - key: x
        - cert: "-----BEGIN CERTIFICATE-----"
      self_signed: [a]
      ticket_lifetime: 1500ms
  - bind: ":443"
    socket_mode: "0660"
    redirect: https
    forward: ap
    tls: { session_tickets: on, alpn: h2, certificates: 5 }
    mode: tcp
  - bind: "[::]:443"
    forward: "${NOPE}"
    mode: tcp
upstreams:
  app: { address: "tls://foo:443" }
  app: 5
  web: { address: {} }
  1x: {}
shards: 0
keys: off
log: { level: off, format: "${SECRET}", queue_lines: many }
limits:
  idle_timeout: 10
  buffers: 64KB
user: [0]
)";

const std::string kItsMistakes = R"(2:5: 'forward' is missing: name one of the upstreams app, web
2:11: bind ':70000' has a port that is not between 1 and 65535
4:5: unknown key 'forwrd': did you mean 'forward'?
6:16: profile 'moden' is not one of intermediate, modern: did you mean 'modern'?
8:11: 'cert' is missing: The PEM file of the certificate chain, leaf first; or env:NAME, fd:N
9:17: cert (a PEM text) must be a path; a PEM text belongs into the variable SALLYPORT_CERT
10:20: 'self_signed' contradicts 'certificates': give one of the two
11:24: ticket_lifetime '1500ms' must be whole seconds
13:18: 'socket_mode' is for a bind such as unix:/run/x.sock
14:15: 'redirect' is of mode http: add 'mode: http', or leave it out
15:14: there is no upstream 'ap': did you mean 'app'?
16:29: session_tickets 'on' is not a boolean: write true or false
16:39: 'alpn' must be a list, not a single value
16:57: 'certificates' must be a list, not a single value
18:5: this listener has no certificate: give --cert and --key (SALLYPORT_CERT, SALLYPORT_KEY), or tls.certificates in the file, or --self-signed for one that is made at start
18:11: '[::]:443' is taken by another listener on line 12
19:14: NOPE is not set: set it, or write ${NOPE:-default}
22:19: address 'tls://foo:443' is a URL, and 'tls://', TLS to the app, is not part of this version; write '127.0.0.1:7766', '[::1]:7766', '7766', 'app.internal:7766' or 'unix:/run/app.sock'
23:3: the key 'app' is here twice: first on line 22
24:19: 'address' must be an address or a list of addresses, not a mapping
25:3: '1x' is not a name: start with a letter, go on with letters, digits, '-', '_' and '.', and take no word that YAML reads as a boolean
26:9: shards '0' is not between 1 and 64, nor 'auto'
27:7: keys 'off' is not one of keyholder, in_worker; YAML reads it as a boolean or as nothing
28:15: level 'off' is not one of none, error, warn, info, debug; YAML reads it as a boolean or as nothing: did you mean 'none'?
28:28: format '${SECRET}' is not one of json, plain
28:54: queue_lines 'many' is not a whole number
30:17: idle_timeout '10' has no unit: write '10s' for seconds, or ms, m, h
31:12: buffers '64KB' is not a size such as 64KiB, 1MiB or 2GiB
32:7: 'user' must be a mapping with the keys uid, gid, not a list)";

} // namespace

TEST_CASE("All mistakes of a file are told at once, each with its place", "[config]")
{
    CHECK(mistakes_of({.text = kWrongFile, .variables = {{"SECRET", "hunter2"}}}) == kItsMistakes);
}

TEST_CASE("A wrong whole is told once", "[config]")
{
    const auto [text, expected] = GENERATE(table<std::string, std::string>({
        {"[1, 2]", "1:1: 'the configuration' must be a mapping with the keys listeners, upstreams, dns, shards, keys, "
                   "certificates, sandbox, user, app, limits, drain, reload, bypass, startup, admin, log, not a list"},
        {"x",
         "1:1: 'the configuration' must be a mapping with the keys listeners, upstreams, dns, shards, keys, "
         "certificates, sandbox, user, app, limits, drain, reload, bypass, startup, admin, log, not a single value"},
        {"a: [", "1:1: this is not YAML: end of sequence flow not found"},
        {"shards: 2", "1:1: there is nothing to listen on: add 'listeners', or give --to\n"
                      "1:1: there is no app to forward to: add 'upstreams', or give --to"},
        {"listeners: []\nupstreams: {}\n", "1:12: there is nothing to listen on: add 'listeners', or give --to\n"
                                           "2:12: there is no app to forward to: add 'upstreams', or give --to"},
        {"listeners: {}\nupstreams: []\n", "1:12: 'listeners' must be a list, not a mapping\n"
                                           "2:12: 'upstreams' must be a mapping from names, not a list"},
        {"listeners:\nupstreams: ~\n", "1:1: 'listeners' must be a list, not nothing\n"
                                       "2:1: 'upstreams' must be a mapping from names, not nothing"},
        {"listeners: [5]\nupstreams: {a: {address: 1}}\n",
         "1:13: 'listeners' must be a mapping with the keys bind, mode, forward, socket_mode, tls, "
         "proxy_protocol, redirect, routes, forwarded, trusted_proxies, hsts, headers, not a single value"},
    }));
    CAPTURE(text);
    CHECK(mistakes_of({.text = text}) == expected);
}

TEST_CASE("Nothing at all gets the ways to begin", "[config]")
{
    CHECK(mistakes_of({}) == "configuration: there is none: give --to 7766 with --cert and --key or --self-signed, or "
                             "name a file by --config (the same by SALLYPORT_TO …, SALLYPORT_CONFIG)");
}

TEST_CASE("A value of every kind is checked where it stands", "[config]")
{
    const auto [more, expected] = GENERATE(table<std::string, std::string>({
        {"shards: 65", "3:9: shards '65' is not between 1 and 64, nor 'auto'"},
        {"shards: \"8\"", "OK"},
        {"shards: auto", "OK"},
        {"shards:", "3:1: 'shards' must be a whole number or 'auto', not nothing"},
        {"shards: [1]", "3:9: 'shards' must be a whole number or 'auto', not a list"},
        {"keys: keyholder", "OK"},
        {"keys: worker", "3:7: keys 'worker' is not one of keyholder, in_worker"},
        {"log: {level: \"no\"}", "3:14: level 'no' is not one of none, error, warn, info, debug; YAML reads it as a "
                                 "boolean or as nothing: did you mean 'none'?"},
        {"log: {level: warning}", "3:14: level 'warning' is not one of none, error, warn, info, debug"},
        {"limits: {max_connections: 0}", "3:27: max_connections '0' is not between 1 and 1000000, nor 'auto'"},
        {"limits: {handshake_timeout: 0s}",
         "3:29: handshake_timeout '0s' is 0: every wait has an end here, at most 1h"},
        {"limits: {idle_timeout: 200h}", "3:24: idle_timeout '200h' is not between 1ms and 168h"},
        {"limits: {buffers: 3GiB}", "3:19: buffers '3GiB' is not between 1MiB and 2GiB"},
        {"limits: {http: {max_body_size: 0B}}", "3:32: max_body_size '0B' is not between 1B and 1048576GiB"},
        {"limits: {http: {max_uri_size: 64KiB}}",
         "3:16: 'max_header_size' must be above 'max_uri_size', which is 64KiB: the address is a part of the head"},
        {"limits: {http: {max_uri_size: 2KiB, max_header_size: 2KiB}}",
         "3:54: 'max_header_size' must be above 'max_uri_size', which is 2KiB: the address is a part of the head"},
        {"limits: {http: {max_uri_size: 2047B, max_header_size: 2KiB}}", "OK"},
        {"limits: {http: {max_header_count: 9}}", "3:35: max_header_count '9' is not between 10 and 10000"},
        {"limits: {http: {max_headers: 9}}",
         "3:17: unknown key 'max_headers': the keys here are max_header_size, max_uri_size, max_header_count, "
         "max_trailer_size, max_body_size, header_timeout, body_timeout, min_body_rate, keep_alive_timeout, "
         "response_timeout, tunnel_idle, close_timeout, lingering_timeout, lingering_time, "
         "max_requests_per_connection, max_concurrent_streams"},
        {"log: {access: {format: combined, redact: [x]}}", "OK"},
        {"log: {access: {format: json}}", "3:24: format 'json' is not one of structured, common, combined, none"},
        {"log: {access: {headers: [accept], format: common}}",
         "3:25: 'headers' contradicts the format, which has no place for them: leave it out, or choose structured"},
        {"log: {access: {headers: [\"accept:\"]}}", "3:25: 'accept:' is not the name of a field"},
        {"log: {access: {redact: [a, \"-\"]}}", "3:24: '-' has no letter and no digit"},
        {"user: {uid: 0}", "3:13: uid '0' is not between 1 and 4294967294"},
        {"sandbox: {}", "OK"},
        {"sandbox: {level: required}", "OK"},
        {"sandbox: {level: off}", "3:18: level 'off' is not one of enforce, required, none; YAML reads it as a boolean "
                                  "or as nothing: did you mean 'none'?"},
        {"sandbox: {seccomp: kill}", "3:20: seccomp 'kill' is not one of enforce, log, none"},
        {"sandbox: {level: required, seccomp: log}",
         "3:37: 'seccomp' contradicts the level 'required': leave it at 'enforce'"},
        {"fence: {}", "3:1: unknown key 'fence': the keys here are listeners, upstreams, dns, shards, keys, "
                      "certificates, sandbox, user, app, "
                      "limits, drain, reload, bypass, startup, admin, log"},
        {"keys: \xff", "3:7: keys '?' is not UTF-8"},
        {"Shards: 2", "3:1: unknown key 'Shards': did you mean 'shards'?"},
        {"<<: {shards: 2}",
         "3:1: unknown key '<<': the keys here are listeners, upstreams, dns, shards, keys, certificates, "
         "sandbox, user, app, limits, "
         "drain, reload, bypass, startup, admin, log"},
    }));
    CAPTURE(more);
    CHECK(mistakes_of({.text = file_with(more)}) == expected);
}

TEST_CASE("What is said about the end and about new configurations has its place and its remedy", "[config][messages]")
{
    const auto [more, expected] = GENERATE(table<std::string, std::string>({
        {"drain: 5s",
         "3:8: 'drain' must be a mapping with the keys delay, timeout, until_upstream_gone, not a single value"},
        {"drain: {delay: 5m, timeout: 6m}", "OK"},
        {"drain: {delay: 25s}",
         "3:16: 'delay' must be shorter than 'timeout', which counts from the signal as well and "
         "is 25s"},
        {"drain: {delay: 0s}", "3:16: delay '0s' is 0: every wait has an end here, at most 24h; or write auto or none"},
        {"reload: {drain_timeout: none, max_generations: auto}", "OK"},
        {"reload: {drain_timeout: 0s}",
         "3:25: drain_timeout '0s' is 0: every wait has an end here, at most 1000h; or write none"},
        {"reload: {max_generations: 1}", "3:27: max_generations '1' is not between 2 and 16, nor 'auto'"},
    }));
    CAPTURE(more);
    CHECK(mistakes_of({.text = file_with(more)}) == expected);
}

TEST_CASE("Windows of HTTP/2 fit into each other", "[config]")
{
    const auto [more, expected] = GENERATE(table<std::string, std::string>({
        {"limits: {http2: {stream_window: 2MiB, connection_window: 2MiB}}", "OK"},
        {"limits: {http2: {stream_window: 2MiB}}",
         "3:17: 'connection_window' must not be below 'stream_window', which is 2MiB"},
        {"limits: {http2: {stream_window: 65KiB, connection_window: 64KiB}}",
         "3:59: 'connection_window' must not be below 'stream_window', which is 65KiB"},
        {"limits: {http2: {connection_window: 63KiB}}",
         "3:37: connection_window '63KiB' is not between 64KiB and 256MiB"},
    }));
    CAPTURE(more);
    CHECK(mistakes_of({.text = file_with(more)}) == expected);
}

TEST_CASE("A listener has exactly one source of certificates", "[config]")
{
    const std::string missing =
        "1:13: this listener has no certificate: give --cert and --key (SALLYPORT_CERT, "
        "SALLYPORT_KEY), or tls.certificates in the file, or --self-signed for one that is made at "
        "start";
    const auto [tls, expected] = GENERATE_COPY(table<std::string, std::string>({
        {"", missing},
        {", tls: {certificates: [{cert: c}]}", "OK"},
        {", tls: {self_signed: true}", "OK"},
        {", tls: {self_signed: false, certificates: [{cert: c}]}", "OK"},
        {", tls: {self_signed: [], certificates: [{cert: c}]}", "OK"},
        {", tls: {self_signed: true, certificates: []}", "OK"},
        {", tls: {self_signed: true, certificates: [{cert: c}]}",
         "1:47: 'self_signed' contradicts 'certificates': give one of the two"},
        {", tls: {self_signed: maybe}", "1:47: 'self_signed' must be true or a list of names, not a single value"},
        {", tls: {certificates: [{cert: \"env:SALLYPORT_CERT\"}]}",
         "1:56: SALLYPORT_CERT and SALLYPORT_KEY hold no PEM texts"},
        {", tls: {certificates: [{cert: \"env:TLS_CERT\", key: \"fd:4\", passphrase: \"file:/p\"}]}", "OK"},
        {", tls: {certificates: [{cert: c, passphrase: \"hunter2\"}]}",
         "1:71: passphrase (not shown) says not where the passphrase is: write file:PATH, env:NAME or fd:N"},
        {", tls: {certificates: [{cert: c, key: LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0t}]}",
         "1:64: key (a PEM text) must be a path; a PEM text belongs into the variable SALLYPORT_KEY"},
    }));
    CAPTURE(tls);
    CHECK(mistakes_of({.text = "listeners: [{bind: \":443\"" + tls +
                               ", mode: tcp}]\nupstreams: {a: {address: 1}}\n"}) == expected);
}

TEST_CASE("Two listeners never take one place", "[config]")
{
    const auto [first, second, is_taken] = GENERATE(table<std::string, std::string, bool>({
        {":443", "443", true},
        {":443", "0.0.0.0:443", true},
        {"[::]:443", ":443", true},
        {"10.0.0.1:443", "10.0.0.1:443", true},
        {"unix:/a", "unix:/a", true},
        {"fd:3", "fd:3", true},
        {"systemd:a", "systemd:a", true},
        {":443", ":444", false},
        {":443", "10.0.0.1:443", false},
        {"10.0.0.1:443", "10.0.0.2:443", false},
        {"0.0.0.0:443", "[::]:443", false},
        {"fd:3", "fd:4", false},
        {"unix:/a", "unix:/b", false},
        {":443", "[::]:444", false},
    }));
    CAPTURE(first, second);
    const std::string tls = ", tls: {self_signed: true}}\n";
    const std::string text = "listeners:\n - {bind: \"" + first + "\"" + tls + " - {bind: \"" + second + "\"" + tls +
                             "upstreams: {a: {address: 1}}\n";
    CHECK(mistakes_of({.text = text}) ==
          (is_taken ? "3:11: '" + second + "' is taken by another listener on line 2" : "OK"));
}

TEST_CASE("The app serves an upstream that exists", "[config]")
{
    const auto [app, expected] = GENERATE(table<std::string, std::string>({
        {"", "OK"},
        {"upstream: app", "OK"},
        {"upstream: ''", "OK"},
        {"upstream: ap", "there is no upstream 'ap': did you mean 'app'?"},
        {"upstream: web", "there is no upstream 'web': there is app"},
        {"restart: always", "restart 'always' is not one of none, on-failure"},
        {"stop_signal: KILL", "stop_signal 'KILL' is not one of TERM, INT, QUIT, HUP, USR1, USR2, WINCH"},
    }));
    CAPTURE(app);
    const std::string said = mistakes_of({.text = file_with("app: {" + app + "}\n")});
    CHECK(said.substr(said.find(": ") == std::string::npos ? 0 : said.find(": ") + 2) == expected);
}

TEST_CASE("A listener forwards to an upstream that exists", "[config]")
{
    const auto [forward, upstreams, expected] = GENERATE(table<std::string, std::string, std::string>({
        {"", "{app: {address: 1}}", "OK"},
        {", forward: app", "{app: {address: 1}}", "OK"},
        {", forward: web", "{app: {address: 1}}", "1:63: there is no upstream 'web': there is app"},
        {", forward: wep", "{app: {address: 1}, web: {address: 2}}",
         "1:63: there is no upstream 'wep': did you mean 'web'?"},
        {"", "{app: {address: 1}, web: {address: 2}}",
         "1:13: 'forward' is missing: name one of the upstreams app, web"},
        {", forward: [app]", "{app: {address: 1}}", "1:63: 'forward' must be the name of an upstream, not a list"},
        {"", "{off: {address: 1}}",
         "2:13: 'off' is not a name: start with a letter, go on with letters, digits, '-', '_' and '.', and take no "
         "word "
         "that YAML reads as a boolean"},
        {"", "{app: {}}",
         "2:18: 'address' is missing: The app: 127.0.0.1:7766, [::1]:7766, a port of 127.0.0.1, app.internal:7766 or "
         "unix:/path, with h2c:// before it for HTTP/2; or a list of these, taken in turn"},
        {"", "{app: {address: []}}", "2:28: 'address' is empty: it must be an address or a list of addresses"},
        {"", "{app: {address: [1, \"h2c://a:1\"]}}",
         "2:32: address 'h2c://a:1' speaks another protocol than those before it: make it another upstream"},
        {"", "{app: {address: 1}}\ndns: {min_ttl: 2m}", "3:16: 'min_ttl' is longer than 'max_ttl' (1m)"},
        {"", "{app: {address: 1}}\ndns: {servers: [\"10.0.0.2:\"]}",
         "3:17: servers '10.0.0.2:' is not the address of a name server; write '10.0.0.2', 'fd00::2' or, with a port, "
         "'127.0.0.1:8600'"},
    }));
    CAPTURE(forward, upstreams);
    CHECK(mistakes_of({.text = "listeners: [{bind: \":443\", tls: {self_signed: true}" + forward +
                               "}]\nupstreams: " + upstreams + "\n"}) == expected);
}

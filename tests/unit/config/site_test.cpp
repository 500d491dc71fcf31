// The keys of mode http: what they mean, and what is said of mistakes.
#include "support/catch.hpp"
#include "unit/config/loading.hpp"

using namespace sallyport;
using namespace sallyport::config;
using namespace std::chrono_literals;

namespace {

/// A configuration whose one listener has these keys, on line 2, beginning at column 5.
std::string listener(const std::string& keys)
{
    return "listeners:\n - {" + keys + ", bind: \":443\"}\nupstreams: {app: {address: 1}}\n";
}

/// Of mode http with TLS.
Listener site(const std::string& keys)
{
    return loaded({.text = listener(keys + ", mode: http, tls: {self_signed: true}")}).listeners.at(0);
}

/// The mistakes, without their line.
std::string said(const std::string& keys)
{
    const std::string all = mistakes_of({.text = listener(keys)});
    return all.starts_with("2:") ? all.substr(2) : all;
}

std::string said_of_site(const std::string& keys)
{
    return said(keys + ", mode: http, tls: {self_signed: true}");
}

} // namespace

TEST_CASE("A listener of mode http has its defaults", "[config][http]")
{
    const Listener listener = site("forward: app");
    CHECK(listener.mode == Mode::http);
    CHECK(listener.tls.alpn == std::vector<std::string>{"h2", "http/1.1"});
    CHECK(listener.forwarded == ForwardedForm::x_forwarded);
    CHECK(listener.routes.empty());
    CHECK_FALSE(listener.redirect);
    CHECK(listener.trusted_proxies.empty());
    CHECK(listener.hsts.max_age == 0s);
    CHECK(listener.headers == Headers{});
}

TEST_CASE("Every key of mode http is read", "[config][http]")
{
    const Listener listener =
        site("routes: [{host: [a.example, '*.b.example'], path: /x, methods: GET, forward: app, "
             "headers: {request: {set: {X-A: 1}}}}, {path: [/y/, /z]}], forwarded: both, "
             "trusted_proxies: [10.0.0.0/8, '2001:db8::/33', 192.0.2.1, unix], "
             "hsts: {max_age: 8760h, include_subdomains: true, preload: true}, "
             "headers: {request: {add: {X-B: 'b c'}, remove: [Cookie]}, response: {set: {X-C: ''}}}");
    REQUIRE(listener.routes.size() == 2);
    CHECK(listener.routes[0] ==
          Route{.hosts = {"a.example", "*.b.example"},
                .paths = {"/x"},
                .methods = {"GET"},
                .forward = "app",
                .headers = {.request = {.set = {{"X-A", "1"}}, .add = {}, .remove = {}}, .response = {}}});
    CHECK(listener.routes[1].paths == std::vector<std::string>{"/y/", "/z"});
    CHECK(listener.routes[1].forward == "app");
    CHECK(listener.forward.empty()); // what no route takes is not found
    CHECK(listener.forwarded == ForwardedForm::both);
    REQUIRE(listener.trusted_proxies.size() == 4);
    CHECK(listener.trusted_proxies[0].prefix == 96 + 8);
    CHECK(listener.trusted_proxies[0].address[12] == std::byte{10});
    CHECK(listener.trusted_proxies[1].prefix == 33);
    CHECK(listener.trusted_proxies[2].prefix == 128);
    CHECK(listener.trusted_proxies[3].is_unix());
    CHECK(listener.hsts == Hsts{.max_age = 8760h, .include_subdomains = true, .preload = true});
    CHECK(listener.headers.request.add == std::vector<HeaderLine>{{"X-B", "b c"}});
    CHECK(listener.headers.request.remove == std::vector<std::string>{"Cookie"});
    CHECK(listener.headers.response.set == std::vector<HeaderLine>{{"X-C", ""}});
}

TEST_CASE("A listener without tls is plaintext in mode http, and only there", "[config][http]")
{
    CHECK_FALSE(loaded({.text = listener("mode: http")}).listeners.at(0).tls.is_given());
    CHECK(loaded({.text = listener("mode: http, redirect: https")}).listeners.at(0).redirect == 443);
    CHECK(loaded({.text = listener("mode: http, redirect: 'https:8443'")}).listeners.at(0).redirect == 8443);
    CHECK(said("mode: tcp").starts_with("4: this listener has no certificate"));
    CHECK(said("mode: http, tls: {}").starts_with("22: this listener has no certificate"));
    CHECK(said("mode: http, tls:").starts_with("17: 'tls'") == false);
}

TEST_CASE("What is of mode http only is told so", "[config][http]")
{
    const auto key = GENERATE(as<std::string>{}, "redirect: https", "routes: [{path: /}]", "forwarded: none",
                              "trusted_proxies: [unix]", "hsts: {max_age: 1h}", "headers: {}");
    const std::string all = said("mode: tcp, tls: {self_signed: true}, " + key);
    CHECK(all.substr(all.find(": ") + 2) ==
          "'" + key.substr(0, key.find(':')) + "' is of mode http: add 'mode: http', or leave it out");
}

TEST_CASE("Parts of a site that contradict each other are told", "[config][http]")
{
    const auto [keys, expected] = GENERATE(table<std::string, std::string>({
        {"forward: app, redirect: https, mode: http", "29: 'redirect' contradicts 'forward': give one of the two"},
        {"redirect: https, mode: http, tls: {self_signed: true}",
         "15: 'redirect' contradicts 'tls': who comes here has come by https"},
        {"hsts: {max_age: 1h}, mode: http", "11: 'hsts' is for a listener with 'tls': browsers pass over it elsewhere"},
        {"hsts: {max_age: 8760h, preload: true}, mode: http, tls: {self_signed: true}",
         "37: 'preload' is taken with include_subdomains: true and a max_age of at least 8760h only"},
        {"hsts: {max_age: 1h, include_subdomains: true, preload: true}, mode: http, tls: {self_signed: true}",
         "60: 'preload' is taken with include_subdomains: true and a max_age of at least 8760h only"},
        {"hsts: {}, mode: http, tls: {self_signed: true}",
         "11: 'max_age' is missing: How long browsers are to come by TLS only; 8760h is a year"},
        {"mode: http, tls: {self_signed: true, alpn: [h2, h3]}",
         "48: alpn 'h3' is not spoken here: mode http is h2 and http/1.1"},
        {"mode: http, tls: {self_signed: true, alpn: [http/1.1]}", "OK"},
        {"mode: tcp, tls: {self_signed: true, alpn: [h3]}", "OK"},
        {"mode: http, routes: [{forward: app}]",
         "26: this route has no 'host', 'path' or 'methods': what every request does is said by the listener's "
         "'forward' or 'redirect'"},
        {"mode: http, routes: [{path: /, forward: web}]", "45: there is no upstream 'web': there is app"},
        {"mode: htpp, routes: [{path: /}], tls: {self_signed: true}",
         "11: mode 'htpp' is not one of tcp, http: did you mean 'http'?"},
    }));
    CAPTURE(keys);
    CHECK(said(keys) == expected);
}

TEST_CASE("A route's conditions are checked where they stand", "[config][http]")
{
    const auto [condition, expected] = GENERATE(table<std::string, std::string>({
        {"host: '*.a.example'", "OK"},
        {"host: '[2001:db8::1]'", "OK"},
        {"host: xn--bcher-kva.example", "OK"},
        {"host: 'a.*.example'", "'a.*.example' may have a '*' as its first label only: *.example.com"},
        {"host: '*'", "'*' may have a '*' as its first label only: *.example.com"},
        {"host: 'a.example:443'", "'a.example:443' has a port: a route has the requests for every port"},
        {"host: '2001:db8::1'", "'2001:db8::1' is an IPv6 address: write it in brackets, as clients do"},
        {"host: '[::x]'", "'[::x]' is not an IPv6 address in brackets"},
        {"host: 'b\u00fccher.example'",
         "'b\u00fccher.example' is not in the form that clients send: write its labels as xn--…"},
        {"host: 'a..b'", "'a..b' is not a host name"},
        {"host: ['a b']", "'a b' is not a host name"},
        {"path: /", "OK"},
        {"path: [/a, /b/]", "OK"},
        {"path: api", "'api' does not begin with '/'"},
        {"path: '/api/*'", "'/api/*' has a '*': it is a prefix, and has what is below it"},
        {"path: /a%20b", "'/a%20b' has an escape: end it before; what can be read in two ways is refused when it is "
                         "asked for"},
        {"path: /a//b", "'/a//b' has an empty segment, or one of dots"},
        {"path: /a/..", "'/a/..' has an empty segment, or one of dots"},
        {"path: /./a", "'/./a' has an empty segment, or one of dots"},
        {"path: '/a?b'", "'/a?b' has a character that no path has as it is"},
        {"path: '/a;b'", "'/a;b' has a character that no path has as it is"},
        {"methods: [GET, PURGE]", "OK"},
        {"methods: get", "'get' is not in capitals: did you mean 'GET'?"},
        {"methods: 'G ET'", "'G ET' is not a method"},
        {"methods: CONNECT", "'CONNECT' is never forwarded"},
    }));
    CAPTURE(condition);
    const std::string all = said_of_site("routes: [{" + condition + "}]");
    const std::string name = condition.substr(0, condition.find(':'));
    const std::size_t at = all.find(": " + name + " ");
    CHECK((at == std::string::npos ? all : all.substr(at + 3 + name.size())) == expected);
}

TEST_CASE("A rule about a field is checked where it stands", "[config][http]")
{
    const auto [rules, expected] = GENERATE(table<std::string, std::string>({
        {"set: {X-A: 'a', Cookie: 2, X-B: true}", "OK"},
        {"remove: [Cookie, x-a]", "OK"},
        {"set: {X-Forwarded-Proto: https}", "OK"},
        {"set: {'X A': a}", "31: set 'X A' is not the name of a field"},
        {"set: {X-A: \"a\\r\\nB: c\"}", "36: X-A 'a??B: c' is not a field's value: it has no line breaks or control "
                                        "characters, no blanks at its ends, "
                                        "and at most 4096 bytes"},
        {"add: {X-A: ' a'}",
         "36: X-A ' a' is not a field's value: it has no line breaks or control characters, no blanks "
         "at its ends, and at most 4096 bytes"},
        {"set: {X-A: [a]}", "36: 'X-A' must be a field's value, not a list"},
        {"set: [X-A]", "30: 'set' must be a mapping from names of fields to values, not a list"},
        {"set: {Content-Length: 5}",
         "31: set 'Content-Length' is about the message's framing or one connection: Sallyport "
         "writes it anew, or not at all"},
        {"remove: [Transfer-Encoding]",
         "34: remove 'Transfer-Encoding' is about the message's framing or one connection: "
         "Sallyport writes it anew, or not at all"},
        {"add: {connection: close}", "31: add 'connection' is about the message's framing or one connection: Sallyport "
                                     "writes it anew, or not at all"},
        {"set: {Host: a}",
         "31: set 'Host' is about the message's framing or one connection: Sallyport writes it anew, or "
         "not at all"},
        {"set: {X_Request_Id: a}", "31: set 'X_Request_Id' is one that some apps take for another: write '-' for '_'"},
    }));
    CAPTURE(rules);
    CHECK(said_of_site("headers: {request: {" + rules + "}}") == expected);
}

TEST_CASE("Rules that would not fit into a message are refused", "[config][http]")
{
    std::string lines;
    for (int i = 0; i < 9; ++i)
        lines += (i == 0 ? "X-" : ", X-") + std::to_string(i) + ": " + std::string(4000, 'a');
    CHECK(said_of_site("headers: {response: {set: {" + lines + "}}}") ==
          "14: 'headers' has 36027 bytes: at most 32768 are possible");
    CHECK(said_of_site("routes: [{path: /, headers: {response: {set: {" + lines + "}}}}]") ==
          "33: 'headers' has 36027 bytes: at most 32768 are possible");
}

TEST_CASE("A trusted proxy is a network", "[config][http]")
{
    const auto [proxy, expected] = GENERATE(table<std::string, std::string>({
        {"0.0.0.0/0", "OK"},
        {"::/0", "OK"},
        {"'::1'", "OK"},
        {"10.0.0.0/33", "23: trusted_proxies '10.0.0.0/33' has a prefix that is not between 0 and 32"},
        {"10.0.0.1/8", "23: trusted_proxies '10.0.0.1/8' has bits behind its prefix: they would count for nothing"},
        {"fd00::1/8", "23: trusted_proxies 'fd00::1/8' has bits behind its prefix: they would count for nothing"},
        {"proxy.example",
         "23: trusted_proxies 'proxy.example' is not a network: write 10.0.0.0/8, 192.0.2.1, fd00::/8 or "
         "unix"},
        {"10.0.0.0/", "23: trusted_proxies '10.0.0.0/' has a prefix that is not a whole number"},
    }));
    CAPTURE(proxy);
    CHECK(said_of_site("trusted_proxies: [" + proxy + "]") == expected);
}

TEST_CASE("A redirect is to https, on a port", "[config][http]")
{
    const auto [redirect, expected] = GENERATE(table<std::string, std::string>({
        {"https", "OK"},
        {"'https:8443'", "OK"},
        {"http", "15: redirect 'http' is not https, or https:8443 for another port"},
        {"'https:0'", "15: redirect 'https:0' has a port that is not between 1 and 65535"},
        {"'https://a.example'", "15: redirect 'https://a.example' has a port that is not a whole number"},
    }));
    CAPTURE(redirect);
    CHECK(said("redirect: " + redirect + ", mode: http") == expected);
}

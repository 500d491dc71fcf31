#include "gatekeeper/settings.hpp"

#include "sallyport/base/build.hpp"
#include "sallyport/base/start_error.hpp"
#include "sallyport/log/log.hpp"
#include "sallyport/sys/resources.hpp"
#include "support/catch.hpp"

using namespace sallyport;
using namespace sallyport::gatekeeper;
using namespace std::chrono_literals;

namespace {

config::Listener listener(const std::string& bind, const std::string& forward, std::vector<config::Certificate> pairs)
{
    config::Listener made;
    made.bind.text = bind;
    made.forward = forward;
    made.tls.certificates = std::move(pairs);
    return made;
}

config::Config small()
{
    config::Config config;
    config.upstreams["api"].address.list = {{.address = SocketAddress::parse("127.0.0.1:7000").value()}};
    config.upstreams["web"].address.list = {{.address = SocketAddress::parse("unix:/run/web.sock").value()}};
    config.listeners = {listener(":443", "web", {{.cert = "a.crt", .key = "a.key", .passphrase = ""}})};
    return config;
}

constexpr Machine kMachine{.shards = 3, .descriptors = 4'096};

} // namespace

TEST_CASE("Connections are as many as the descriptors serve, ten thousand at most", "[gatekeeper][settings]")
{
    const auto [descriptors, connections] = GENERATE(table<std::uint64_t, std::uint32_t>({
        {0, 1},
        {200, 1},
        {202, 1},
        {204, 2},
        {1'024, 412},
        {20'200, 10'000},
        {1'048'576, 10'000},
        {~std::uint64_t{0}, 10'000},
    }));
    CAPTURE(descriptors);
    CHECK(connections_that_fit(descriptors) == connections);
    if (descriptors > 200) CHECK(descriptors_for(connections) <= descriptors);
}

TEST_CASE("Shards are those of the configuration, else of the machine, and never none", "[gatekeeper][settings]")
{
    config::Config config = small();
    CHECK(shards_of(config, kMachine) == 3);
    CHECK(shards_of(config, Machine{.shards = 0}) == 1);
    CHECK(shards_of(config, Machine{.shards = 1, .in_force = 4}) == 4);
    config.shards = 8;
    CHECK(shards_of(config, kMachine) == 8);
    config.shards = sys::kShardsMax;
    CHECK(shards_of(config, kMachine) == sys::kShardsMax);
    config.shards = static_cast<std::uint16_t>(sys::kShardsMax + 1);
    CHECK_THROWS_AS(shards_of(config, kMachine), StartError);
}

TEST_CASE("Both children hear this build, the log's form, the place of keys and the limits", "[gatekeeper][settings]")
{
    config::Config config = small();
    config.keys = config::Keys::in_worker;
    config.sandbox.level = config::SandboxLevel::required;
    config.log = {.level = config::LogLevel::warn,
                  .format = config::LogFormat::plain,
                  .queue_lines = 77,
                  .audit = {config::AuditPlace::syslog, -1},
                  .access = {config::AccessFormat::combined, {"accept"}, {"id"}}};
    config.certificates.check_every = 1500ms;
    config.limits.handshake_timeout = 1s;
    config.limits.connect_timeout = 2s;
    config.limits.idle_timeout = 3s;
    config.limits.buffers = 4'000;
    config.limits.http = {1'024, 256, 10, 128, 5ULL << 40, 1ms, 2ms, 3, 4ms, 5ms, 6ms, 7ms, 8ms, 9ms, 10, 11};
    config.limits.http2 = {12, 13};
    config.drain.timeout = 5s;
    const Settings settings = settings_of(config, kMachine);
    CHECK(settings.hello.build_id == build_id());
    CHECK(settings.hello.key_place == ipc::KeyPlace::in_worker);
    CHECK(settings.hello.sandbox == ipc::SandboxSettings{ipc::SandboxLevel::required, ipc::SeccompMode::enforce});
    CHECK(settings.hello.shards == 3);
    CHECK(settings.hello.log.level == static_cast<int>(config::LogLevel::warn));
    CHECK(settings.hello.log.format == static_cast<int>(config::LogFormat::plain));
    CHECK(settings.hello.log.queue_lines == 77);
    CHECK(settings.hello.log.audit == static_cast<int>(config::AuditPlace::syslog));
    CHECK(settings.hello.certificate_check_ms == 1'500);
    CHECK(settings.hello.limits.connections_max == 1'948);
    CHECK(settings.hello.limits.handshake_ms == 1'000);
    CHECK(settings.hello.limits.connect_ms == 2'000);
    CHECK(settings.hello.limits.idle_ms == 3'000);
    CHECK(settings.hello.limits.buffer_bytes_max == 4'000);
    CHECK(settings.hello.limits.http ==
          ipc::HttpLimits{1'024, 256, 10, 128, 5ULL << 40, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13});
    CHECK(settings.hello.access.format == ipc::AccessFormat::combined);
    CHECK(settings.hello.access.headers == std::vector<std::string>{"accept"});
    CHECK(settings.hello.access.redact == std::vector<std::string>{"id"});
    CHECK(settings.drain.timeout_ms == 5'000);
}

TEST_CASE("A worker that writes nothing has a short queue", "[gatekeeper][settings]")
{
    config::Config config;
    CHECK(settings_of(config, kMachine).hello.log.queue_lines == config.log.queue_lines);
    config.log.level = config::LogLevel::none;
    CHECK(settings_of(config, kMachine).hello.log.queue_lines == log::kFewLines);
    config.log.queue_lines = log::kFewLines - 1;
    CHECK(settings_of(config, kMachine).hello.log.queue_lines == log::kFewLines - 1);
}

TEST_CASE("What a message cannot carry becomes its nearest value, never zero and never wrapped",
          "[gatekeeper][settings]")
{
    config::Config config = small();
    config.limits.max_connections = 12;
    config.limits.idle_timeout = config::Millis{std::int64_t{1} << 40};
    config.limits.buffers = std::uint64_t{1} << 40;
    config.drain.timeout = config::Millis{0};
    const Settings settings = settings_of(config, kMachine);
    CHECK(settings.hello.limits.connections_max == 12);
    CHECK(settings.hello.limits.idle_ms == 0xffff'ffff);
    CHECK(settings.hello.limits.buffer_bytes_max == 0xffff'ffff);
    CHECK(settings.drain.timeout_ms == 1);
}

TEST_CASE("Listeners name their upstream by its place in the order of names", "[gatekeeper][settings]")
{
    config::Config config = small();
    config.listeners.push_back(listener(":8443", "api", config.listeners.front().tls.certificates));
    config.listeners.back().tls.profile = config::Profile::modern;
    config.listeners.back().tls.alpn = {"h2", "http/1.1"};
    config.listeners.back().tls.session_tickets = false;
    config.listeners.back().tls.ticket_lifetime = 60s;
    const Settings settings = settings_of(config, kMachine);
    REQUIRE(settings.upstreams.size() == 2);
    CHECK(settings.upstreams[0].name == "api");
    CHECK(settings.upstreams[1].addresses.at(0).address.text() == "unix:/run/web.sock");
    REQUIRE(settings.listeners.size() == 2);
    CHECK(settings.listeners[0].bind == ":443");
    CHECK(settings.listeners[0].upstream == 1);
    CHECK(settings.listeners[0].tls.tickets);
    CHECK(settings.listeners[1].upstream == 0);
    CHECK(settings.listeners[1].tls.profile == ipc::TlsProfile::modern);
    CHECK(settings.listeners[1].tls.alpn == std::vector<std::string>{"h2", "http/1.1", "http/1.0"});
    CHECK_FALSE(settings.listeners[1].tls.tickets);
    CHECK(settings.listeners[1].tls.ticket_lifetime_s == 60);
}

TEST_CASE("PROXY headers: whom a listener takes them from, and that their apps' connections are not kept",
          "[gatekeeper][settings]")
{
    config::Config config = small();
    config::TrustedProxy network{.text = "fd00::/8", .prefix = 8};
    network.address[0] = std::byte{0xfd};
    config.listeners.front().proxy_protocol = {.mode = config::ProxyHeader::required,
                                               .trusted = {network, {.text = "unix"}},
                                               .version = config::ProxyVersions::v2,
                                               .timeout = 3s,
                                               .max_size = 1'024};
    config.upstreams["web"].send_proxy_protocol = config::SentProxyHeader::v2_crc32c;
    const Settings settings = settings_of(config, kMachine);
    CHECK(settings.listeners[0].proxy_protocol ==
          ipc::ProxyProtocol{.mode = ipc::ProxyHeader::required,
                             .versions = ipc::ProxyVersions::v2,
                             .trusted = {{.address = network.address, .prefix = 8}},
                             .trusts_unix_sockets = true,
                             .timeout_ms = 3'000,
                             .size_max = 1'024});
    CHECK(settings.upstreams[0].proxy_header == ipc::SentProxyHeader::none);
    CHECK(settings.upstreams[0].idle_max == config::Upstream{}.max_idle);
    CHECK(settings.upstreams[1].proxy_header == ipc::SentProxyHeader::v2_crc32c);
    CHECK(settings.upstreams[1].idle_max == 0);
}

TEST_CASE("A pair that several listeners show is one source; another key or passphrase makes another",
          "[gatekeeper][settings]")
{
    const config::Certificate a{.cert = "a.crt", .key = "a.key", .passphrase = ""};
    const config::Certificate b{.cert = "b.pem", .key = "", .passphrase = "b.pass"};
    const config::Certificate from_environment{.cert = "env:SALLYPORT_CERT", .key = "", .passphrase = ""};
    config::Config config = small();
    config.listeners = {listener(":443", "web", {a, b}), listener(":444", "web", {b, a}),
                        listener(":445", "web", {{.cert = "a.crt", .key = "a.key", .passphrase = "a.pass"}}),
                        listener(":446", "web", {from_environment, a}), listener(":447", "web", {from_environment})};
    const Settings settings = settings_of(config, kMachine);
    REQUIRE(settings.sources.size() == 4);
    CHECK(settings.sources[0].label == "a.crt");
    CHECK(settings.sources[0].key == ipc::TextSource{"a.key", false});
    CHECK(settings.sources[1].key.name == "b.pem"); // the same file
    CHECK(settings.sources[1].passphrase.name == "b.pass");
    CHECK(settings.sources[3].label == "env:SALLYPORT_CERT");
    CHECK(settings.sources[3].certificate == ipc::TextSource{"env:SALLYPORT_CERT", true});
    CHECK(settings.sources[3].key == ipc::TextSource{"env:SALLYPORT_KEY", true});
    using Indexes = std::vector<std::uint32_t>;
    CHECK(settings.listeners[0].tls.certificates == Indexes{0, 1});
    CHECK(settings.listeners[1].tls.certificates == Indexes{1, 0});
    CHECK(settings.listeners[2].tls.certificates == Indexes{2});
    CHECK(settings.listeners[3].tls.certificates == Indexes{3, 0});
    CHECK(settings.listeners[4].tls.certificates == Indexes{3});
}

TEST_CASE("Self-signed pairs are made once for the same names", "[gatekeeper][settings]")
{
    config::Config config = small();
    config.listeners = {listener(":443", "web", {}), listener(":444", "web", {}), listener(":445", "web", {})};
    config.listeners[0].tls.self_signed = {"localhost", "127.0.0.1"};
    config.listeners[1].tls.self_signed = {"localhost", "127.0.0.1"};
    config.listeners[2].tls.self_signed = {"example.org"};
    const Settings settings = settings_of(config, kMachine);
    REQUIRE(settings.sources.size() == 2);
    CHECK(settings.sources[0].self_signed_names == std::vector<std::string>{"localhost", "127.0.0.1"});
    CHECK(settings.sources[0].certificate.name.empty());
    CHECK(settings.listeners[1].tls.certificates == std::vector<std::uint32_t>{0});
    CHECK(settings.listeners[2].tls.certificates == std::vector<std::uint32_t>{1});
}

TEST_CASE("Who speaks HTTP/1.1 answers to http/1.0 as well, after all others", "[gatekeeper][settings]")
{
    using Names = std::vector<std::string>;
    config::Config config = small();
    config.listeners[0].mode = config::Mode::http;
    const auto told = [&](Names alpn) {
        config.listeners[0].tls.alpn = std::move(alpn);
        return settings_of(config, kMachine).listeners[0].tls.alpn;
    };
    CHECK(told({"h2", "http/1.1"}) == Names{"h2", "http/1.1", "http/1.0"});
    CHECK(told({"h2"}) == Names{"h2"});
    CHECK(told({}) == Names{});
}

TEST_CASE("What a listener of mode http does with requests is told with its routes behind it", "[gatekeeper][settings]")
{
    config::Config config = small();
    config::Listener& listener = config.listeners[0];
    listener.mode = config::Mode::http;
    listener.routes = {{.hosts = {"a"}, .paths = {"/p"}, .methods = {"GET"}, .forward = "api", .headers = {}}};
    listener.routes[0].headers.request.set = {{"X-A", "b"}};
    listener.forwarded = config::ForwardedForm::both;
    listener.trusted_proxies = {{.text = "10.0.0.0/8", .address = {std::byte{1}}, .prefix = 104}, {.text = "unix"}};
    listener.hsts = {.max_age = 60s, .include_subdomains = true, .preload = true};
    listener.headers.response = {.set = {}, .add = {{"X-B", "c"}}, .remove = {"Server"}};
    const Settings settings = settings_of(config, kMachine);
    const ipc::Listener& told = settings.listeners.at(0);
    CHECK(told.mode == ipc::Mode::http);
    CHECK(told.upstream == 1);
    CHECK(told.site.otherwise == ipc::Otherwise::forward);
    CHECK(told.site.forwarded == ipc::ForwardedForm::both);
    CHECK(told.site.trusted_proxies == std::vector<ipc::Network>{{.address = {std::byte{1}}, .prefix = 104}});
    CHECK(told.site.trusts_unix_sockets);
    CHECK(told.site.hsts == "max-age=60; includeSubDomains; preload");
    CHECK(told.site.response == ipc::HeaderRules{.add = {{"X-B", "c"}}, .remove = {"Server"}});
    REQUIRE(settings.routes.at(0).size() == 1);
    const ipc::Route& route = settings.routes[0][0];
    CHECK(route.upstream == 0);
    CHECK(route.hosts == std::vector<std::string>{"a"});
    CHECK(route.paths == std::vector<std::string>{"/p"});
    CHECK(route.methods == std::vector<std::string>{"GET"});
    CHECK(route.request.set == std::vector<ipc::HeaderLine>{{"X-A", "b"}});

    listener.forward.clear();
    CHECK(settings_of(config, kMachine).listeners[0].site.otherwise == ipc::Otherwise::not_found);
    listener.redirect = 8443;
    listener.tls = {};
    const ipc::Listener redirecting = settings_of(config, kMachine).listeners[0];
    CHECK(redirecting.site.otherwise == ipc::Otherwise::redirect);
    CHECK(redirecting.site.redirect_port == 8443);
    CHECK(redirecting.is_plaintext());
}

TEST_CASE("The delay of a drain is that of the configuration, else what an orchestrator needs",
          "[gatekeeper][settings]")
{
    using config::Millis;
    const auto [given, timeout, orchestrated, delay] = GENERATE(table<std::optional<Millis>, Millis, bool, unsigned>({
        {std::nullopt, Millis{25'000}, false, 0},
        {std::nullopt, Millis{25'000}, true, 5'000},
        {std::nullopt, Millis{60'000}, true, 5'000},
        {std::nullopt, Millis{500}, true, 100},
        {Millis{0}, Millis{25'000}, true, 0},
        {Millis{7'000}, Millis{25'000}, false, 7'000},
    }));
    config::Config config = small();
    config.drain = {.delay = given, .timeout = timeout, .until_upstream_gone = false};
    Machine machine = kMachine;
    machine.orchestrated = orchestrated;
    CHECK(settings_of(config, machine).drain.delay_ms == delay);
}

TEST_CASE("Apps that are waited for are those that have addresses, not names", "[gatekeeper][settings]")
{
    config::Config config = small();
    const auto address = SocketAddress::parse("127.0.0.1:7766").value();
    config.upstreams["web"].address.list = {{.address = address}, {.host = "app.internal", .port = 80, .address = {}}};
    CHECK(settings_of(config, kMachine).drain.apps.empty());
    config.drain.until_upstream_gone = true;
    const std::vector<SocketAddress> apps{SocketAddress::parse("127.0.0.1:7000").value(), address};
    CHECK(settings_of(config, kMachine).drain.apps == apps);
}

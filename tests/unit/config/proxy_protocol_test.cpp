// The keys of the PROXY protocol: what they mean, and what is said of mistakes.
#include "support/catch.hpp"
#include "unit/config/loading.hpp"

using namespace sallyport;
using namespace sallyport::config;
using namespace std::chrono_literals;

namespace {

std::string listener(const std::string& proxy)
{
    return "listeners:\n - {bind: \":443\", proxy_protocol: " + proxy +
           ", tls: {self_signed: true}}\nupstreams: {app: {address: 1}}\n";
}

std::string upstream(const std::string& keys)
{
    return "listeners: [{bind: \":443\", tls: {self_signed: true}}]\nupstreams: {app: {" + keys + "}}\n";
}

} // namespace

TEST_CASE("No header is taken, and none sent, unless it is asked for", "[config][proxy_protocol]")
{
    const Config config = loaded({.text = file_with("")});
    CHECK(config.listeners.at(0).proxy_protocol == ProxyProtocol{});
    CHECK(config.listeners.at(0).proxy_protocol.mode == ProxyHeader::none);
    CHECK(config.upstreams.at("app").send_proxy_protocol == SentProxyHeader::none);
}

TEST_CASE("Every key of proxy_protocol is read, and has a finite default", "[config][proxy_protocol]")
{
    const Config sparse = loaded({.text = listener("{mode: optional, trusted: [192.0.2.1]}")});
    const ProxyProtocol& defaults = sparse.listeners.at(0).proxy_protocol;
    CHECK(defaults.mode == ProxyHeader::optional);
    CHECK(defaults.version == ProxyVersions::any);
    CHECK(defaults.timeout == 5s);
    CHECK(defaults.max_size == 4096);

    const Config full = loaded({.text = listener("{mode: required, trusted: [10.0.0.0/8, unix], version: v2, timeout: "
                                                 "1s, max_size: 16KiB}")});
    const ProxyProtocol& given = full.listeners.at(0).proxy_protocol;
    CHECK(given.mode == ProxyHeader::required);
    REQUIRE(given.trusted.size() == 2);
    CHECK(given.trusted[0].prefix == 96 + 8);
    CHECK(given.trusted[1].is_unix());
    CHECK(given.version == ProxyVersions::v2);
    CHECK(given.timeout == 1s);
    CHECK(given.max_size == 16384);
}

TEST_CASE("A header that anybody could send is a mistake", "[config][proxy_protocol]")
{
    const auto [proxy, message] = GENERATE(table<std::string, std::string>({
        {"{mode: required}", "2:35: 'trusted' is missing: name the networks of the load balancers that send PROXY "
                             "headers, such as [10.0.0.0/8], or [unix]; others could claim any address"},
        {"{mode: optional, trusted: []}", "2:35: 'trusted' is missing: name the networks of the load balancers that "
                                          "send PROXY headers, such as [10.0.0.0/8], or [unix]; others could claim any "
                                          "address"},
        {"{trusted: [10.0.0.0/8]}", "2:35: 'mode' is missing: add 'mode: required', or 'mode: optional' if some "
                                    "connections come without a header"},
        {"required", "2:35: 'proxy_protocol' must be a mapping with the keys mode, trusted, version, timeout, "
                     "max_size, not a single value"},
        {"{mode: strict}", "2:42: mode 'strict' is not one of none, optional, required"},
        {"{mode: none, max_size: 255B}", "2:58: max_size '255B' is not between 256B and 16KiB"},
    }));
    CAPTURE(proxy);
    CHECK(mistakes_of({.text = listener(proxy)}) == message);
}

TEST_CASE("A mode of none lets the networks stand", "[config][proxy_protocol]")
{
    CHECK(mistakes_of({.text = listener("{mode: none, trusted: [10.0.0.0/8]}")}) == "OK");
    CHECK(mistakes_of({.text = listener("{}")}) == "OK");
}

TEST_CASE("A header is sent in one of three forms, and not where a connection is of many clients",
          "[config][proxy_protocol]")
{
    const auto [text, form] = GENERATE(table<std::string, SentProxyHeader>({
        {"none", SentProxyHeader::none},
        {"v1", SentProxyHeader::v1},
        {"v2", SentProxyHeader::v2},
        {"v2-crc32c", SentProxyHeader::v2_crc32c},
    }));
    const Config config = loaded({.text = upstream("address: 1, send_proxy_protocol: " + text)});
    CHECK(config.upstreams.at("app").send_proxy_protocol == form);
    CHECK(mistakes_of({.text = upstream("address: \"h2c://127.0.0.1:1\", send_proxy_protocol: v2")}) ==
          "2:70: 'send_proxy_protocol' contradicts h2c://, whose connections carry the requests of many clients: leave "
          "it out (X-Forwarded-For tells of each), or speak HTTP/1.1 to the app");
}

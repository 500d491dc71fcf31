// What the app is told about the client, and what a client cannot make it believe.
#include "sallyport/site/forwarding.hpp"

#include "sallyport/site/site.hpp"
#include "support/catch.hpp"
#include "unit/site/sites.hpp"

using namespace sallyport;
using namespace sallyport::site;

namespace {

constexpr std::string_view kClient = "192.0.2.7:40000";
constexpr std::string_view kProxy = "10.1.2.3:40000";
constexpr std::string_view kNewId = "X-Request-Id: 000102030405060708090a0b0c0d0e0f\r\n";

constexpr std::array<std::byte, 16> kSeed = [] {
    std::array<std::byte, 16> seed{};
    for (std::size_t i = 0; i < seed.size(); ++i)
        seed[i] = static_cast<std::byte>(i);
    return seed;
}();

ipc::Network network(std::string_view address, std::uint8_t prefix)
{
    ipc::Network made{.address = {}, .prefix = prefix};
    std::size_t i = 0;
    for (const char c : address)
        made.address.at(i++) = static_cast<std::byte>(c);
    return made;
}

/// 10.0.0.0/8 and fd00::/8 are trusted.
ipc::Listener trusting(ipc::ForwardedForm form = ipc::ForwardedForm::x_forwarded)
{
    ipc::Listener from = listener();
    from.site.forwarded = form;
    from.site.trusted_proxies = {
        network(std::string_view{"\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\0\0\0", 16}, 96 + 8),
        network(std::string_view{"\xfd", 1}, 8),
    };
    return from;
}

/// The fields that the app gets beside Host.
std::string forwarded(const ipc::Listener& from, std::string_view peer, const std::string& fields,
                      const std::string& host = "Host: a.example\r\n", const std::string& version = "1.1")
{
    const auto site = built(from);
    const Request request{"GET / HTTP/" + version, host + fields};
    std::string scratch;
    RequestEdits edits;
    const ClientFacts client = site->client_facts(SocketAddress::parse(peer).value());
    edits.prepare(**site->route_for(request.head(), scratch), request.head(), client, kSeed);
    std::string out;
    http::write_request(out, request.head(), {.default_host = "-", .edits = edits.edits()});
    out.erase(0, out.find("\r\n", out.find("Host: ")) + 2);
    return out.substr(0, out.size() - 2);
}

std::string without_id(std::string text)
{
    const std::size_t at = text.find(kNewId);
    REQUIRE(at != std::string::npos);
    return text.erase(at, kNewId.size());
}

std::string lines(const std::string& address, const std::string& proto = "https", const std::string& port = "443")
{
    return "X-Forwarded-For: " + address + "\r\nX-Forwarded-Proto: " + proto +
           "\r\nX-Forwarded-Host: a.example\r\nX-Forwarded-Port: " + port + "\r\n";
}

} // namespace

TEST_CASE("The app is told who the client is, and how it came", "[site][forwarded]")
{
    CHECK(forwarded(listener(), kClient, "A: b\r\n") == "A: b\r\n" + lines("192.0.2.7") + std::string{kNewId});
    CHECK(without_id(forwarded(listener(), "[2001:db8::7]:1", "")) == lines("2001:db8::7"));
    CHECK(without_id(forwarded(listener(), "[::ffff:192.0.2.7]:1", "")) == lines("192.0.2.7"));

    ipc::Listener plain = listener();
    plain.tls.certificates.clear();
    CHECK(without_id(forwarded(plain, kClient, "")) == lines("192.0.2.7", "http", "80"));
}

TEST_CASE("The forwarded host and port are those that the client asked for", "[site][forwarded]")
{
    const auto [host, port] = GENERATE(table<std::string, std::string>({
        {"a.example:8443", "8443"},
        {"a.example:", "443"},
        {"[2001:db8::1]", "443"},
        {"[2001:db8::1]:8443", "8443"},
    }));
    CHECK(without_id(forwarded(listener(), kClient, "", "Host: " + host + "\r\n")) ==
          "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: " + host +
              "\r\nX-Forwarded-Port: " + port + "\r\n");
    CHECK(without_id(forwarded(listener(), kClient, "", "", "1.0")) ==
          "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Port: 443\r\n");
}

TEST_CASE("A client cannot say what only a proxy may", "[site][forwarded][spoofing]")
{
    const auto field = GENERATE(as<std::string>{}, "X-Forwarded-For: 127.0.0.1", "X-FORWARDED-FOR: 127.0.0.1",
                                "X_Forwarded_For: 127.0.0.1", "X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-For: 127.0.0.1",
                                "X-Forwarded-Proto: http", "X-Forwarded-Host: evil", "X-Forwarded-Port: 1",
                                "X-Forwarded-Prefix: /x", "X-Forwarded-Ssl: off", "X-Forwarded-Scheme: http",
                                "X-Forwarded-Protocol: http", "X-Real-IP: 127.0.0.1", "Forwarded: for=127.0.0.1",
                                "Client-Cert: :AA==:", "Client-Cert-Chain: :AA==:", "X-Forwarded-Client-Cert: By=x",
                                "x_forwarded_client_cert: By=x", "X-Request-Id: mine",
                                "Connection: X-Forwarded-For\r\nX-Forwarded-For: 127.0.0.1");
    CAPTURE(field);
    for (const auto form : {ipc::ForwardedForm::x_forwarded, ipc::ForwardedForm::none}) {
        const std::string expected = form == ipc::ForwardedForm::none ? "" : lines("192.0.2.7");
        CHECK(without_id(forwarded(trusting(form), kClient, field + "\r\n")) == expected);
    }
}

TEST_CASE("A trusted proxy's word is kept, and its address is added", "[site][forwarded]")
{
    const auto from_proxy = [](const std::string& fields) { return without_id(forwarded(trusting(), kProxy, fields)); };
    CHECK(from_proxy("") == lines("10.1.2.3"));
    CHECK(from_proxy("X-Forwarded-For: 198.51.100.1\r\n") == lines("198.51.100.1, 10.1.2.3"));
    CHECK(from_proxy("X-Forwarded-For: a, b\r\nX-Forwarded-For: \r\nX-Forwarded-For: c\r\n") ==
          lines("a, b, c, 10.1.2.3"));
    CHECK(from_proxy("X-Forwarded-Proto: http\r\n") ==
          "X-Forwarded-Proto: http\r\nX-Forwarded-For: 10.1.2.3\r\nX-Forwarded-Host: a.example\r\n"
          "X-Forwarded-Port: 80\r\n");
    CHECK(from_proxy("X-Forwarded-Host: b.example:8443\r\n") ==
          "X-Forwarded-Host: b.example:8443\r\nX-Forwarded-For: 10.1.2.3\r\nX-Forwarded-Proto: https\r\n"
          "X-Forwarded-Port: 8443\r\n");
    CHECK(from_proxy("X-Forwarded-Port: 9\r\nX-Real-IP: 198.51.100.1\r\nX-Forwarded-Prefix: /p\r\n") ==
          "X-Forwarded-Port: 9\r\nX-Real-IP: 198.51.100.1\r\nX-Forwarded-Prefix: /p\r\nX-Forwarded-For: 10.1.2.3\r\n"
          "X-Forwarded-Proto: https\r\nX-Forwarded-Host: a.example\r\n");
    // Not even a proxy speaks for a client's certificate, and a look-alike is nobody's word.
    CHECK(from_proxy("Client-Cert: :AA==:\r\nX-Forwarded-Client-Cert: By=x\r\nX_Forwarded_For: 1.1.1.1\r\n") ==
          lines("10.1.2.3"));
}

TEST_CASE("Trusted is who comes from one of the networks", "[site][forwarded]")
{
    const auto [peer, trusted] = GENERATE(table<std::string, bool>({
        {"10.0.0.0:1", true},
        {"10.255.255.255:1", true},
        {"[::ffff:10.0.0.1]:1", true},
        {"11.0.0.1:1", false},
        {"9.255.255.255:1", false},
        {"[fd12::1]:1", true},
        {"[fe12::1]:1", false},
        {"[::10.0.0.1]:1", false},
        {"unix:/run/x", false},
    }));
    CAPTURE(peer);
    CHECK(built(trusting())->client_facts(SocketAddress::parse(peer).value()).trusted() == trusted);
    CHECK_FALSE(built(listener())->client_facts(SocketAddress::parse(peer).value()).trusted());

    ipc::Listener odd = listener();
    odd.site.trusted_proxies = {network(std::string_view{"\x20\x01\x0d\xb8\0\0\0\x10", 8}, 60)};
    const auto is_trusted = [&](std::string_view address) {
        return built(odd)->client_facts(SocketAddress::parse(address).value()).trusted();
    };
    CHECK(is_trusted("[2001:db8:0:1f::1]:1"));
    CHECK_FALSE(is_trusted("[2001:db8:0:20::1]:1"));
    odd.site.trusted_proxies = {network({}, 0)};
    CHECK(is_trusted("192.0.2.1:1"));
}

TEST_CASE("A Unix socket's peer has no address to tell", "[site][forwarded]")
{
    constexpr std::string_view kPeer = "unix:/run/x";
    const std::string others = "X-Forwarded-Proto: https\r\nX-Forwarded-Host: a.example\r\nX-Forwarded-Port: 443\r\n";
    CHECK(without_id(forwarded(listener(), kPeer, "X-Forwarded-For: 1.1.1.1\r\n")) == others);

    ipc::Listener from = listener();
    from.site.trusts_unix_sockets = true;
    from.site.forwarded = ipc::ForwardedForm::both;
    CHECK(without_id(forwarded(from, kPeer, "X-Forwarded-For: 1.1.1.1, 2.2.2.2\r\n")) ==
          "X-Forwarded-For: 1.1.1.1, 2.2.2.2\r\n" + others +
              "Forwarded: for=unknown;host=\"a.example\";proto=https\r\n");
}

TEST_CASE("Forwarded has what RFC 7239 wants quoted in quotes", "[site][forwarded][rfc7239]")
{
    const ipc::Listener from = trusting(ipc::ForwardedForm::rfc7239);
    CHECK(without_id(forwarded(from, kClient, "Forwarded: for=1.1.1.1\r\nX-Forwarded-For: 1.1.1.1\r\n")) ==
          "Forwarded: for=192.0.2.7;host=\"a.example\";proto=https\r\n");
    CHECK(without_id(forwarded(from, "[2001:db8::7]:1", "", "Host: [::1]:8443\r\n")) ==
          "Forwarded: for=\"[2001:db8::7]\";host=\"[::1]:8443\";proto=https\r\n");
    CHECK(without_id(forwarded(from, kProxy, "Forwarded: for=_a\r\nForwarded: for=\"_b\"\r\n", "", "1.0")) ==
          "Forwarded: for=_a, for=\"_b\", for=10.1.2.3;proto=https\r\n");
}

TEST_CASE("Both forms stand side by side, and none adds nothing", "[site][forwarded]")
{
    CHECK(without_id(
              forwarded(trusting(ipc::ForwardedForm::both), kProxy, "Forwarded: for=a\r\nX-Forwarded-For: b\r\n")) ==
          lines("b, 10.1.2.3") + "Forwarded: for=a, for=10.1.2.3;host=\"a.example\";proto=https\r\n");
    CHECK(without_id(
              forwarded(trusting(ipc::ForwardedForm::none), kProxy, "Forwarded: for=a\r\nX-Forwarded-For: b\r\n")) ==
          "Forwarded: for=a\r\nX-Forwarded-For: b\r\n");
}

TEST_CASE("A request's id is a trusted proxy's if it is one, else new", "[site][request-id]")
{
    const auto id = [](std::string_view peer, const std::string& field) {
        const std::string all = forwarded(trusting(), peer, field);
        return all.substr(all.find("X-Request-Id: "));
    };
    const std::string good = "X-Request-Id: 7b4c0b1e-0f6e-4b5e/AZ_09.+=:@\r\n";
    CHECK(id(kProxy, good) == good);
    CHECK(id(kProxy, "X-Request-Id: " + std::string(128, 'a') + "\r\n").size() == 128 + 16);
    CHECK(id(kClient, good) == kNewId);
    const auto bad = GENERATE(as<std::string>{}, "", "a b", "a\"b", "a,b", "\xc3\xa9", std::string(129, 'a'));
    CHECK(id(kProxy, "X-Request-Id: " + bad + "\r\n") == kNewId);
}

TEST_CASE("Edits are made anew in the same storage", "[site][forwarded]")
{
    const auto site = built(trusting(ipc::ForwardedForm::both));
    const Request large{"GET / HTTP/1.1", "Host: a.example\r\nX-Forwarded-For: " + std::string(5000, 'a') + "\r\n"};
    const Request small{"GET / HTTP/1.1", "Host: b.example\r\nX-Forwarded-For: c\r\nForwarded: for=d\r\n"};
    const ClientFacts proxy = site->client_facts(SocketAddress::parse(kProxy).value());
    std::string scratch;
    const Route& route = **site->route_for(large.head(), scratch);
    RequestEdits edits;
    edits.prepare(route, large.head(), proxy, kSeed);
    CHECK(edits.edits().added.front().value == std::string(5000, 'a') + ", 10.1.2.3");
    edits.prepare(route, small.head(), proxy, kSeed);
    REQUIRE(edits.edits().added.size() == 6);
    CHECK(edits.edits().added[0].value == "c, 10.1.2.3");
    CHECK(edits.edits().added[4].value == "for=d, for=10.1.2.3;host=\"b.example\";proto=https");
    CHECK(edits.request_id() == kNewId.substr(14, 32));
}

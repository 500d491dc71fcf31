#include "sallyport/proxy_protocol/writer.hpp"

#include "headers.hpp"
#include "support/catch.hpp"

using namespace sallyport;
using namespace sallyport::proxy_protocol;

namespace {

Client client(const std::string& source, const std::string& destination)
{
    return {.source = SocketAddress::parse(source).value(), .destination = SocketAddress::parse(destination).value()};
}

std::string v1(const Client& of)
{
    std::string out{"before"};
    append_v1(out, of);
    return out.substr(6);
}

std::string v2(const Client& of, bool checksum = false)
{
    std::string out{"before"};
    append_v2(out, of, checksum);
    return out.substr(6);
}

const Client kIpv4 = client("192.0.2.1:4660", "198.51.100.2:443");

} // namespace

TEST_CASE("Version 1 is a line of the addresses in the one family that both have", "[proxy_protocol][v1]")
{
    CHECK(v1(kIpv4) == "PROXY TCP4 192.0.2.1 198.51.100.2 4660 443\r\n");
    CHECK(v1(client("[::ffff:192.0.2.1]:1", "198.51.100.2:65535")) == "PROXY TCP4 192.0.2.1 198.51.100.2 1 65535\r\n");
    CHECK(v1(client("[2001:db8::1]:1", "[2001:db8::2]:2")) == "PROXY TCP6 2001:db8::1 2001:db8::2 1 2\r\n");
    CHECK(v1(client("[2001:db8::1]:1", "192.0.2.1:2")) == "PROXY TCP6 2001:db8::1 ::ffff:192.0.2.1 1 2\r\n");
    CHECK(v1(client("unix:/x", "192.0.2.1:2")) == "PROXY UNKNOWN\r\n");
    CHECK(v1(client("unix:/x", "unix:/y")) == "PROXY UNKNOWN\r\n");
}

TEST_CASE("Version 2 is a block of the same", "[proxy_protocol][v2]")
{
    CHECK(v2(kIpv4) == block(0x21, 0x11, kIpv4Pair));
    CHECK(v2(client("[::ffff:192.0.2.1]:4660", "[::ffff:198.51.100.2]:443")) == block(0x21, 0x11, kIpv4Pair));
    CHECK(v2(client("[2001:db8::1]:4660", "[2001:db8::2]:443")) == block(0x21, 0x21, kIpv6Pair));
    CHECK(v2(client("unix:/x", "unix:/y")) == block(0x21, 0x00, ""));
}

TEST_CASE("What is known besides follows in fields, and what is not is left out", "[proxy_protocol][v2]")
{
    Client known = kIpv4;
    known.alpn = "h2";
    known.authority = "a.example";
    known.tls = TlsFacts{.version = "TLSv1.3", .cipher = "TLS_AES_128_GCM_SHA256", .group = "x25519"};
    // Nobody has verified a certificate of the client's: "non-zero otherwise".
    const std::string ssl = raw({0x01, 0, 0, 0, 1}) + field(0x21, "TLSv1.3") + field(0x23, "TLS_AES_128_GCM_SHA256") +
                            field(0x26, "x25519");
    const std::string fields = field(0x01, "h2") + field(0x02, "a.example") + field(0x20, ssl);
    CHECK(v2(known) == block(0x21, 0x11, kIpv4Pair + fields));
    known.tls->verified_name = "client.example";
    known.tls->group = "";
    known.alpn = known.authority = "";
    const std::string verified = raw({0x03, 0, 0, 0, 0}) + field(0x21, "TLSv1.3") + field(0x22, "client.example") +
                                 field(0x23, "TLS_AES_128_GCM_SHA256");
    CHECK(v2(known) == block(0x21, 0x11, kIpv4Pair + field(0x20, verified)));
}

TEST_CASE("A checksum stands last, and fits", "[proxy_protocol][v2]")
{
    Client known = kIpv4;
    known.alpn = "http/1.1";
    const std::string summed = v2(known, true);
    REQUIRE(summed.size() == v2(known).size() + 7);
    CHECK(summed.substr(summed.size() - 7, 3) == raw({0x03, 0, 4}));
    const auto read = look_at(summed);
    REQUIRE(read);
    CHECK(read->header.source->text() == "192.0.2.1:4660");
    for (std::size_t at = 16; at < summed.size(); ++at) {
        if (at == summed.size() - 7) continue; // then there is none
        std::string changed = summed;
        changed[at] ^= 0x40;
        CAPTURE(at);
        CHECK_FALSE(look_at(changed));
    }
}

TEST_CASE("Whatever a client has sent, its header can be read", "[proxy_protocol][v2]")
{
    const std::string long_text(70'000, 'a');
    Client known = kIpv4;
    known.alpn = known.authority = long_text;
    known.tls = TlsFacts{.version = long_text, .cipher = long_text, .group = long_text, .verified_name = long_text};
    const std::string block = v2(known, true);
    CHECK(block.size() < 2048);
    REQUIRE(look_at(block));
    CHECK(look_at(block)->header.size == block.size());
}

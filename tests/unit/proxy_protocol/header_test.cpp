#include "sallyport/proxy_protocol/header.hpp"

#include "headers.hpp"
#include "proxy_protocol/crc32c.hpp"
#include "support/catch.hpp"

using namespace sallyport;
using namespace sallyport::proxy_protocol;
using Kind = Look::Kind;

namespace {

constexpr int kProxy = 0x21;
constexpr int kLocal = 0x20;
constexpr int kTcp4 = 0x11;

/// "192.0.2.1:4660 > 198.51.100.2:443", "itself", or why not.
std::string said(const std::string& text, const Rules& rules = {Versions::any, 4096})
{
    const auto found = look_at(text, rules);
    if (!found) return std::string{found.error()};
    if (found->kind != Kind::whole) return found->kind == Kind::partial ? "partial" : "absent";
    CHECK(found->header.source.has_value() == found->header.destination.has_value());
    if (!found->header.source) return "itself";
    return found->header.source->text() + " > " + found->header.destination->text();
}

/// With the checksum that is right for it.
std::string with_sum(const std::string& before, const std::string& behind, int command = kProxy)
{
    const std::string rest = kIpv4Pair + before + field(0x03, std::string(4, '\0')) + behind;
    std::string made = block(command, kTcp4, rest);
    const std::uint32_t sum = finished(crc32c(kCrc32cStart, std::as_bytes(std::span{made})));
    const std::size_t at = 16 + kIpv4Pair.size() + before.size() + 3;
    for (std::size_t i = 0; i < 4; ++i)
        made[at + i] = static_cast<char>(sum >> (24 - 8 * i));
    return made;
}

constexpr const char* kIpv4 = "192.0.2.1:4660 > 198.51.100.2:443";

} // namespace

TEST_CASE("A line of version 1 tells both addresses, or that the connection's own count", "[proxy_protocol][v1]")
{
    const auto [line, meaning] = GENERATE(table<std::string, std::string>({
        {"PROXY TCP4 192.0.2.1 198.51.100.2 4660 443\r\n", kIpv4},
        {"PROXY TCP4 192.0.2.1 198.51.100.2 0 65535\r\n", "192.0.2.1:0 > 198.51.100.2:65535"},
        {"PROXY TCP6 2001:db8::1 2001:db8::2 4660 443\r\n", "[2001:db8::1]:4660 > [2001:db8::2]:443"},
        {"PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
         "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535 > [ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"},
        {"PROXY TCP6 ::ffff:192.0.2.1 ::ffff:198.51.100.2 4660 443\r\n", kIpv4},
        {"PROXY UNKNOWN\r\n", "itself"},
        {"PROXY UNKNOWN ffff::1 whatever 0 99999\r\n", "itself"},
    }));
    CAPTURE(line);
    CHECK(said(line) == meaning);
    CHECK(said(line + "\x16\x03\x01 and more") == meaning);
    REQUIRE(look_at(line + "more"));
    CHECK(look_at(line + "more")->header.size == line.size());
}

TEST_CASE("A line of version 1 has one form", "[proxy_protocol][v1]")
{
    const auto [line, flaw] = GENERATE(table<std::string, std::string>({
        {"PROXY \r\n", "family"},
        {"PROXY TCP5 192.0.2.1 198.51.100.2 1 2\r\n", "family"},
        {"PROXY tcp4 192.0.2.1 198.51.100.2 1 2\r\n", "family"},
        {"PROXY UNKNOWNS\r\n", "family"},
        {"PROXY  TCP4 192.0.2.1 198.51.100.2 1 2\r\n", "family"},
        {"PROXY UDP4 192.0.2.1 198.51.100.2 1 2\r\n", "family"},
        {"PROXY TCP4 192.0.2.1 198.51.100.2 1\r\n", "six parts"},
        {"PROXY TCP4 192.0.2.1 198.51.100.2 1 2 \r\n", "six parts"},
        {"PROXY TCP4 192.0.2.1 198.51.100.2 1 2 3\r\n", "six parts"},
        {"PROXY TCP4 192.0.2.1  198.51.100.2 1 2\r\n", "six parts"},
        {"PROXY TCP4 192.0.2.1 198.51.100.2 1 65536\r\n", "address"},
        {"PROXY TCP4 192.0.2.1 198.51.100.2 01 2\r\n", "address"},
        {"PROXY TCP4 192.0.2.1 198.51.100.2 +1 2\r\n", "address"},
        {"PROXY TCP4 192.0.2.1 198.51.100.2 -1 2\r\n", "address"},
        {"PROXY TCP4 192.0.2.1 198.51.100.2 1 2\n\r\n", "address"},
        {"PROXY TCP4 192.0.2.256 198.51.100.2 1 2\r\n", "address"},
        {"PROXY TCP4 192.0.02.1 198.51.100.2 1 2\r\n", "address"},
        {"PROXY TCP4 192.0.1 198.51.100.2 1 2\r\n", "address"},
        {"PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n", "address"},
        {"PROXY TCP6 192.0.2.1 198.51.100.2 1 2\r\n", "address"},
        {"PROXY TCP6 [2001:db8::1] 2001:db8::2 1 2\r\n", "address"},
        {"PROXY TCP6 2001:db8::1%lo 2001:db8::2 1 2\r\n", "address"},
        {"PROXY TCP4 localhost 198.51.100.2 1 2\r\n", "address"},
        {"PROXY TCP4 192.0.2.1 198.51.100.2 1 2\r" + std::string(80, ' '), "no end"},
        {"PROXY UNKNOWN " + std::string(93, 'x'), "no end"},
        {"PROXY UNKNOWN " + std::string(92, 'x') + "\r\n", "no end"}, // 108 bytes
    }));
    CAPTURE(line);
    CHECK(said(line).find(flaw) != std::string::npos);
}

TEST_CASE("A block of version 2 tells both addresses, or that the connection's own count", "[proxy_protocol][v2]")
{
    const std::string unix_pair = std::string(108, 'a') + std::string(108, 'b');
    const auto [text, meaning] = GENERATE_COPY(table<std::string, std::string>({
        {block(kProxy, kTcp4, kIpv4Pair), kIpv4},
        {block(kProxy, 0x21, kIpv6Pair), "[2001:db8::1]:4660 > [2001:db8::2]:443"},
        {block(kProxy, 0x31, unix_pair), "unix: > unix:"},
        {block(kProxy, 0x00, ""), "itself"},
        {block(kProxy, 0x00, field(0x04, "1234")), "itself"},
        {block(kLocal, 0x00, ""), "itself"},
        {block(kLocal, kTcp4, kIpv4Pair), "itself"},
        {block(kLocal, 0x55, "anything"), "itself"},
        {block(kLocal, kTcp4, "short"), "itself"},
        {block(kLocal, 0x00, "no fields"), "itself"},
        {block(kLocal, 0x00, raw({0x04, 0xff, 0xff}) + "x"), "itself"},
        {block(kLocal, kTcp4, kIpv4Pair + raw({0x04})), "itself"},
        {block(kLocal, kTcp4, kIpv4Pair + field(0x20, "1234")), "itself"},
        {block(kLocal, kTcp4, kIpv4Pair + field(0x05, std::string(129, 'u'))), "itself"},
        {block(kLocal, kTcp4, kIpv4Pair + field(0x03, "123")), "itself"},
        {block(kLocal, kTcp4, kIpv4Pair + field(0x03, "1234") + "x"), "itself"}, // a sum of nobody knows what
        {with_sum("", "", kLocal), "itself"},
    }));
    CAPTURE(text);
    CHECK(said(text) == meaning);
    REQUIRE(look_at(text + "more"));
    CHECK(look_at(text + "more")->header.size == text.size());
}

TEST_CASE("Additional fields are walked, and those that are not known passed over", "[proxy_protocol][v2]")
{
    const std::string ssl = raw({0x01, 0, 0, 0, 1}) + field(0x21, "TLSv1.3") + field(0x26, "x25519");
    const std::string fields = GENERATE_COPY(
        as<std::string>{}, field(0x04, std::string(81, '\0')), // AWS' NLB pads with 84 bytes
        field(0x04, ""), field(0xea, raw({0x01}) + "vpce-08d2bf15fac5001c9"),
        field(0x01, "h2") + field(0x02, "a.example"), field(0x05, std::string(128, 'u')), field(0x20, ssl),
        field(0x20, raw({0, 0, 0, 0, 0})), field(0x28, std::string(2000, '\x30')), field(0xff, "future"));
    CHECK(said(block(kProxy, kTcp4, kIpv4Pair + fields)) == kIpv4);
    CHECK(said(with_sum(fields, "")) == kIpv4);
    CHECK(said(with_sum("", fields)) == kIpv4);
}

TEST_CASE("A block of version 2 that contradicts itself is refused", "[proxy_protocol][v2]")
{
    std::string wrong_sum = with_sum("", "");
    wrong_sum[20] ^= 1;
    std::string local_wrong_sum = with_sum("", "");
    local_wrong_sum[12] = kLocal; // which changes what is summed
    const auto [text, flaw] = GENERATE_COPY(table<std::string, std::string>({
        {block(0x11, kTcp4, kIpv4Pair), "version"},
        {block(0x31, kTcp4, kIpv4Pair), "version"},
        {block(0x22, kTcp4, kIpv4Pair), "command"},
        {block(0x2f, kTcp4, kIpv4Pair), "command"},
        {block(kProxy, 0x12, kIpv4Pair), "family or protocol"},
        {block(kProxy, 0x10, kIpv4Pair), "family or protocol"},
        {block(kProxy, 0x01, ""), "family or protocol"},
        {block(kProxy, 0x41, kIpv4Pair), "family or protocol"},
        {block(kProxy, kTcp4, kIpv4Pair.substr(1)), "addresses reach beyond"},
        {block(kProxy, 0x21, kIpv4Pair), "addresses reach beyond"},
        {block(kProxy, 0x31, std::string(215, 'a')), "addresses reach beyond"},
        {block(kProxy, kTcp4, kIpv4Pair + raw({0x04})), "field reaches beyond"},
        {block(kProxy, kTcp4, kIpv4Pair + raw({0x04, 0x00})), "field reaches beyond"},
        {block(kProxy, kTcp4, kIpv4Pair + raw({0x04, 0x00, 0x01})), "field reaches beyond"},
        {block(kProxy, kTcp4, kIpv4Pair + raw({0x04, 0xff, 0xff}) + "x"), "field reaches beyond"},
        {block(kProxy, kTcp4, kIpv4Pair + field(0x03, "123")), "four bytes"},
        {block(kProxy, kTcp4, kIpv4Pair + field(0x03, "12345")), "four bytes"},
        {block(kProxy, kTcp4, kIpv4Pair + field(0x03, std::string(4, '\0'))), "does not fit"},
        {wrong_sum, "does not fit"},
        {local_wrong_sum, "does not fit"},
        {block(kProxy, kTcp4, kIpv4Pair + field(0x05, std::string(129, 'u'))), "unique id"},
        {block(kProxy, kTcp4, kIpv4Pair + field(0x20, "1234")), "too short"},
        {block(kProxy, kTcp4, kIpv4Pair + field(0x20, "12345" + raw({0x21, 0}))), "of TLS reaches"},
        {block(kProxy, kTcp4, kIpv4Pair + field(0x20, "12345" + raw({0x21, 0, 9}) + "TLSv1.3")), "of TLS reaches"},
    }));
    CAPTURE(text);
    CHECK(said(text).find(flaw) != std::string::npos);
}

TEST_CASE("Two checksums are one too many", "[proxy_protocol][v2]")
{
    CHECK(said(with_sum("", field(0x03, "1234"))) == "there are two checksums");
}

TEST_CASE("Until its last byte a header is partial, in steps of one byte", "[proxy_protocol]")
{
    const std::string whole =
        GENERATE(as<std::string>{}, "PROXY TCP4 192.0.2.1 198.51.100.2 4660 443\r\n", "PROXY UNKNOWN\r\n",
                 block(kProxy, kTcp4, kIpv4Pair), block(kProxy, 0x21, kIpv6Pair + field(0x04, std::string(81, '\0'))),
                 block(kLocal, 0, ""), with_sum("", ""));
    for (std::size_t size = 0; size < whole.size(); ++size) {
        CAPTURE(size);
        CHECK(said(whole.substr(0, size)) == "partial");
    }
    CHECK(look_at(whole)->kind == Kind::whole);
}

TEST_CASE("What clients say themselves begins no header, from the first byte that tells", "[proxy_protocol]")
{
    const auto [text, decided] = GENERATE(table<std::string, std::size_t>({
        {"\x16\x03\x01\x02\x00\x01", 1}, // a ClientHello
        {"GET / HTTP/1.1\r\n", 1},
        {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 3},
        {"PROPFIND / HTTP/1.1\r\n", 4},
        {"PROXYING / HTTP/1.1\r\n", 6},
        {"\r\n\r\nGET / HTTP/1.1\r\n", 5},
        {"\r\nGET / HTTP/1.1\r\n", 3},
        {"\n", 1},
    }));
    CAPTURE(text);
    CHECK(said(text.substr(0, decided - 1)) == "partial");
    CHECK(said(text.substr(0, decided)) == "absent");
    CHECK(said(text) == "absent");
}

TEST_CASE("A version that is not taken, and a size beyond the limit, are refused", "[proxy_protocol]")
{
    const std::string line = "PROXY TCP4 192.0.2.1 198.51.100.2 4660 443\r\n";
    const std::string binary = block(kProxy, kTcp4, kIpv4Pair);
    CHECK(said(line, {Versions::v1, 4096}) == kIpv4);
    CHECK(said(binary, {Versions::v2, 4096}) == kIpv4);
    CHECK(said(binary, {Versions::v1, 4096}) == "its version is not taken here");
    CHECK(said(line, {Versions::v2, 4096}) == "its version is not taken here");
    CHECK(said(binary, {Versions::any, binary.size()}) == kIpv4);
    CHECK(said(binary, {Versions::any, binary.size() - 1}) == "the header is larger than max_size");
    CHECK(said(block(kProxy, kTcp4, kIpv4Pair + std::string(65'000, 'x')).substr(0, 16)) ==
          "the header is larger than max_size"); // known before the rest has come
}

TEST_CASE("CRC32C is the one of RFC 3720 B.4", "[proxy_protocol]")
{
    const auto sum_of = [](const std::string& text) {
        return finished(crc32c(kCrc32cStart, std::as_bytes(std::span{text})));
    };
    CHECK(sum_of(std::string(32, '\0')) == 0x8a91'36aa);
    CHECK(sum_of(std::string(32, '\xff')) == 0x62a8'ab43);
    CHECK(sum_of("123456789") == 0xe306'9283);
}

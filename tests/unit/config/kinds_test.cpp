#include "config/addresses.hpp"
#include "config/kinds.hpp"
#include "config/lists.hpp"
#include "support/catch.hpp"

using namespace sallyport;
using namespace sallyport::config;
using namespace std::chrono_literals;

namespace {

template <typename Value>
std::string error_of(const Parsed<Value>& parsed)
{
    return parsed ? std::string{"OK"} : parsed.error();
}

} // namespace

TEST_CASE("A duration is a number with a unit, and prints as the shortest of its forms", "[config]")
{
    const auto [text, duration, printed] = GENERATE(table<std::string, Millis, std::string>({
        {"1ms", 1ms, "1ms"},
        {"250ms", 250ms, "250ms"},
        {"1000ms", 1s, "1s"},
        {"10s", 10s, "10s"},
        {"90s", 90s, "90s"},
        {"300s", 5min, "5m"},
        {"5m", 5min, "5m"},
        {"120m", 2h, "2h"},
        {"24h", 24h, "24h"},
    }));
    CAPTURE(text);
    const auto parsed = Duration<Millis>{24h}.parse(text);
    REQUIRE(parsed.has_value());
    CHECK(*parsed == duration);
    CHECK(print_duration(*parsed) == printed);
}

TEST_CASE("What is not a finite, positive duration is refused with the reason", "[config]")
{
    const auto [text, complaint] = GENERATE(table<std::string, std::string>({
        {"", "is not a duration such as 10s, 250ms, 5m or 1h"},
        {"s", "is not a duration such as 10s, 250ms, 5m or 1h"},
        {"10", "has no unit: write '10s' for seconds, or ms, m, h"},
        {"0", "has no unit: write '0s' for seconds, or ms, m, h"},
        {"10 s", "is not a duration such as 10s, 250ms, 5m or 1h"},
        {"10sec", "is not a duration such as 10s, 250ms, 5m or 1h"},
        {"-1s", "is not a duration such as 10s, 250ms, 5m or 1h"},
        {"1.5s", "is not a duration such as 10s, 250ms, 5m or 1h"},
        {"1m30s", "is not a duration such as 10s, 250ms, 5m or 1h"},
        {"0ms", "is 0: every wait has an end here, at most 24h"},
        {"000h", "is 0: every wait has an end here, at most 24h"},
        {"25h", "is not between 1ms and 24h"},
        {"18446744073709551615h", "is not between 1ms and 24h"},
        {"99999999999999999999999999s", "is not between 1ms and 24h"},
        {"infinity", "is not a duration such as 10s, 250ms, 5m or 1h"},
    }));
    CAPTURE(text);
    CHECK(error_of(Duration<Millis>{24h}.parse(text)) == complaint);
}

TEST_CASE("A duration in seconds is whole", "[config]")
{
    const Duration<Seconds> kind{24h};
    CHECK(kind.parse("2000ms").value() == Seconds{2});
    CHECK(error_of(kind.parse("1500ms")) == "must be whole seconds");
    CHECK(error_of(kind.parse("999ms")) == "is not between 1s and 24h");
}

TEST_CASE("A size has a binary unit, and prints as the largest that is whole", "[config]")
{
    const auto [text, bytes, printed] = GENERATE(table<std::string, std::uint64_t, std::string>({
        {"512B", 512, "512B"},
        {"64KiB", 65536, "64KiB"},
        {"1024KiB", 1048576, "1MiB"},
        {"1MiB", 1048576, "1MiB"},
        {"2GiB", 2147483648, "2GiB"},
    }));
    CAPTURE(text);
    const auto parsed = Size{{1, 4ULL << 30}}.parse(text);
    REQUIRE(parsed.has_value());
    CHECK(*parsed == bytes);
    CHECK(print_size(*parsed) == printed);
}

TEST_CASE("What is not a size in its range is refused", "[config]")
{
    const auto [text, complaint] = GENERATE(table<std::string, std::string>({
        {"64", "is not a size such as 64KiB, 1MiB or 2GiB"},
        {"64KB", "is not a size such as 64KiB, 1MiB or 2GiB"},
        {"64k", "is not a size such as 64KiB, 1MiB or 2GiB"},
        {"", "is not a size such as 64KiB, 1MiB or 2GiB"},
        {"0B", "is not between 1KiB and 2GiB"},
        {"1023B", "is not between 1KiB and 2GiB"},
        {"3GiB", "is not between 1KiB and 2GiB"},
        {"99999999999999999999GiB", "is not between 1KiB and 2GiB"},
    }));
    CAPTURE(text);
    CHECK(error_of(Size{{1024, 2ULL << 30}}.parse(text)) == complaint);
}

TEST_CASE("An integer is digits alone, in its range", "[config]")
{
    const Integer<std::uint16_t> kind{{1, 64}};
    CHECK(kind.parse("1").value() == 1);
    CHECK(kind.parse("64").value() == 64);
    for (const std::string_view text : {"", "-1", "+1", "1.0", "0x10", "1_0", "one", " 1"})
        CHECK(error_of(kind.parse(text)) == "is not a whole number");
    for (const std::string_view text : {"0", "65", "65600", "99999999999999999999999"})
        CHECK(error_of(kind.parse(text)) == "is not between 1 and 64");
}

TEST_CASE("An integer that may be left to us is 'auto'", "[config]")
{
    const IntegerOrAuto<std::uint16_t> kind{{1, 64}};
    REQUIRE(kind.parse("auto").has_value());
    CHECK_FALSE(kind.parse("auto")->has_value());
    CHECK(kind.parse("3").value() == std::optional<std::uint16_t>{3});
    CHECK(error_of(kind.parse("Auto")) == "is not a whole number, nor 'auto'");
    CHECK(error_of(kind.parse("65")) == "is not between 1 and 64, nor 'auto'");
}

TEST_CASE("Permissions are three octal digits", "[config]")
{
    CHECK(Permissions{}.parse("0660").value() == 0660U);
    CHECK(Permissions{}.parse("600").value() == 0600U);
    CHECK(Permissions{}.parse("0777").value() == 0777U);
    for (const std::string_view text : {"", "0", "66", "0888", "4755", "00660", "u+rw", "-660"})
        CHECK(error_of(Permissions{}.parse(text)) == "is not three octal digits such as \"0660\"");
    CHECK(Permissions{}.write(0660).text == "0660");
    CHECK(Permissions{}.write(0007).text == "0007");
}

TEST_CASE("A bind is a port, an address, a Unix socket, a descriptor or a name of systemd's", "[config]")
{
    const auto where = [](std::string_view text) { return BindText{}.parse(text).value().where; };
    CHECK(where(":443") == decltype(Bind::where){AnyAddress{443}});
    CHECK(where("443") == decltype(Bind::where){AnyAddress{443}});
    CHECK(where(":65535") == decltype(Bind::where){AnyAddress{65535}});
    CHECK(where("10.0.0.1:443") == decltype(Bind::where){SocketAddress::parse("10.0.0.1:443").value()});
    CHECK(where("[::]:443") == decltype(Bind::where){SocketAddress::parse("[::]:443").value()});
    CHECK(where("unix:/run/x.sock") == decltype(Bind::where){SocketAddress::parse("unix:/run/x.sock").value()});
    CHECK(where("unix:@x") == decltype(Bind::where){SocketAddress::parse("unix:@x").value()});
    CHECK(where("fd:3") == decltype(Bind::where){InheritedFd{3}});
    CHECK(where("systemd:https") == decltype(Bind::where){SystemdName{"https"}});
    CHECK(BindText{}.parse("443").value().text == "443");
}

TEST_CASE("What is no place to listen on is refused", "[config]")
{
    const auto text = GENERATE(as<std::string>{}, "", ":", ":0", "0", ":65536", "65536", "https", "localhost:443",
                               "*:443", "10.0.0.1", "10.0.0.256:443", "[::1]", "::1:443:", "10.0.0.1:0",
                               "unix:", "fd:2", "fd:0", "fd:", "fd:x", "fd:70000", "systemd:", "systemd:a:b",
                               "systemd:a b", "-443", "unix:/" + std::string(107, 'x'));
    CAPTURE(text);
    CHECK_FALSE(BindText{}.parse(text).has_value());
}

TEST_CASE("A wrong bind says what is wrong with it", "[config]")
{
    CHECK(error_of(BindText{}.parse(":65536")) == "has a port that is not between 1 and 65535");
    CHECK(
        error_of(BindText{}.parse("10.0.0.1:65536")).starts_with("has a port that is not between 1 and 65535; write"));
    CHECK(error_of(BindText{}.parse("localhost:443")).starts_with("is not an address; write ':443'"));
    CHECK(error_of(BindText{}.parse("fd:2")) == "names a descriptor that is not between 3 and 65535");
    CHECK(
        error_of(BindText{}.parse("unix:")).starts_with("is not the path of a Unix socket, of 1 to 107 bytes; write"));
}

TEST_CASE("An app is at an address, a port of this host, a name or a Unix socket, and speaks HTTP/1.1 or h2c",
          "[config]")
{
    const auto [text, printed] = GENERATE(table<std::string, std::string>({
        {"app.internal:7766", "app.internal:7766"},
        {"_app-1.Internal.:1", "_app-1.Internal.:1"},
        {"http://app:80", "app:80"},
        {"http://localhost:7766", "127.0.0.1:7766"},
        {"h2c://127.0.0.1:80", "h2c://127.0.0.1:80"},
        {"h2c://unix:/run/app.sock", "h2c://unix:/run/app.sock"},
        {"h2c://app:80", "h2c://app:80"},
        {"127.0.0.1:7766", "127.0.0.1:7766"},
        {"7766", "127.0.0.1:7766"},
        {"localhost:7766", "127.0.0.1:7766"},
        {"[::1]:7766", "[::1]:7766"},
        {"10.1.2.3:80", "10.1.2.3:80"},
        {"unix:/run/app.sock", "unix:/run/app.sock"},
        {"unix:/run/a,b.sock", "unix:/run/a,b.sock"},
        {"unix:@app", "unix:@app"},
    }));
    CAPTURE(text);
    const auto address = UpstreamText{}.parse(text);
    REQUIRE(address.has_value());
    CHECK(UpstreamText{}.write(*address).text == printed);
}

TEST_CASE("What cannot be forwarded to is refused with what could", "[config]")
{
    static const std::string forms =
        "write '127.0.0.1:7766', '[::1]:7766', '7766', 'app.internal:7766' or 'unix:/run/app.sock'";
    const auto [text, said] = GENERATE(table<std::string, std::string>({
        {"tls://10.0.0.1:443", "is a URL, and 'tls://', TLS to the app, is not part of this version; " + forms},
        {"https://app", "is a URL, and 'https://', TLS to the app, is not part of this version; " + forms},
        {"ftp://app:21", "is a URL of 'ftp://', which is not known: 'http://' and 'h2c://' are"},
        {"http://app:80/", "holds a path: it must end with the port"},
        {"app", "has no port: write 'app:7766', or another one"},
        {"app:", "has a port that is not a whole number"},
        {"app:70000", "has a port that is not between 1 and 65535"},
        {"app:80,app:81", "holds a comma: a list is written in the file, as [a:7766, b:7766]"},
        {"a..b:80", "is not an address; " + forms},
        {std::string(64, 'a') + ":80", "is not an address; " + forms},
        {"10.0.1:80", "is not an address; " + forms},
        {"127.0.0.1", "is not an address; " + forms},
        {"127.0.0.1:", "is not an address; " + forms},
        {"127.0.0.1:0", "has a port that is not between 1 and 65535; " + forms},
        {"70000", "has a port that is not between 1 and 65535; " + forms},
        {"::1:7766", "is not an address; " + forms},
        {"unix:", "is not the path of a Unix socket, of 1 to 107 bytes; " + forms},
        {"", "is not an address; " + forms},
    }));
    CAPTURE(text);
    CHECK(error_of(UpstreamText{}.parse(text)) == said);
}

TEST_CASE("A PEM text is in a file, in a variable or behind a descriptor, and never in the configuration", "[config]")
{
    const PemPlace key{"SALLYPORT_KEY"};
    CHECK(key.parse("/a b/c.pem").value() == "/a b/c.pem");
    CHECK(key.parse("file:c.pem").value() == "c.pem");
    CHECK(key.parse("env:TLS_KEY").value() == "env:TLS_KEY");
    CHECK(key.parse("fd:3").value() == "fd:3");
    const auto wrong = GENERATE(as<std::string>{}, "", "a\nb", "file:", "file:env:x", "env:", "env:1A", "env:A B",
                                "fd:", "fd:2", "fd:x", "fd:1048576");
    CAPTURE(wrong);
    CHECK_FALSE(key.parse(wrong).has_value());
    for (const auto* pem : {"-----BEGIN PRIVATE KEY-----\nMIGH", "LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0t"})
        CHECK(error_of(key.parse(pem)) == "must be a path; a PEM text belongs into the variable SALLYPORT_KEY");
}

TEST_CASE("A passphrase is somewhere, and where is never left to be guessed", "[config]")
{
    CHECK(PassphrasePlace{}.parse("file:/run/pass").value() == "/run/pass");
    CHECK(PassphrasePlace{}.parse("env:PASS").value() == "env:PASS");
    CHECK(PassphrasePlace{}.parse("fd:9").value() == "fd:9");
    for (const auto* text : {"hunter2", "/run/pass", "files:x"})
        CHECK(error_of(PassphrasePlace{}.parse(text)) ==
              "says not where the passphrase is: write file:PATH, env:NAME or fd:N");
    CHECK(PassphrasePlace{}.write("/run/pass").text == "file:/run/pass");
    CHECK(PassphrasePlace{}.write("env:PASS").text == "env:PASS");
    CHECK(PassphrasePlace{}.write("").text.empty());
}

TEST_CASE("The audit stream goes to standard output, to syslog or to an inherited descriptor", "[config]")
{
    CHECK(AuditText{}.parse("stdout").value() == AuditStream{});
    CHECK(AuditText{}.parse("syslog").value() == AuditStream{AuditPlace::syslog, -1});
    CHECK(AuditText{}.parse("fd:3").value() == AuditStream{AuditPlace::descriptor, 3});
    const auto [text, error] = GENERATE(table<std::string, std::string>({
        {"stderr", "is not stdout, syslog or a descriptor such as fd:3"},
        {"fd:2", "names a descriptor that is not between 3 and 1048575"},
        {"fd:", "names a descriptor that is not a whole number"},
        {"fd:-3", "names a descriptor that is not a whole number"},
    }));
    CAPTURE(text);
    CHECK(error_of(AuditText{}.parse(text)) == error);
}

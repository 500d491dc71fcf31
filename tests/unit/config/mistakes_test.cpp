#include "config/mistakes.hpp"
#include "support/catch.hpp"

using namespace sallyport::config;

TEST_CASE("The nearest name is suggested, if it is near", "[config]")
{
    const std::vector<std::string_view> names{"listen", "to", "cert", "key", "log-level", "log-format"};
    const auto [written, meant] = GENERATE(table<std::string, std::string>({
        {"lisen", "listen"},
        {"listne", "listen"},
        {"Listen", "listen"},
        {"log_level", "log-level"},
        {"loglevel", "log-level"},
        {"certs", "cert"},
        {"kye", ""},
        {"keys", "key"},
        {"bind", ""},
        {"", ""},
        {"completely-different", ""},
    }));
    CAPTURE(written);
    CHECK(nearest(written, names) == meant);
}

TEST_CASE("A message never shows a PEM text, a control character or a long text", "[config]")
{
    CHECK(quote("abc") == "'abc'");
    CHECK(quote("a\nb\x1b[0m\x7f") == "'a?b?[0m?'");
    CHECK(quote("x -----BEGIN PRIVATE KEY-----\nMIGH") == "(a PEM text)");
    CHECK(quote(std::string(81, 'x')) == "'" + std::string(80, 'x') + "…'");
    CHECK(quote("grün") == "'grün'");
    CHECK(quote("gr\xfcn") == "'gr?n'");
    CHECK(quote(std::string(79, 'x') + "ü") == "'" + std::string(79, 'x') + "…'");
}

TEST_CASE("Mistakes come in the order of their places, with the place in front", "[config]")
{
    Mistakes mistakes;
    CHECK_FALSE(mistakes.any());
    mistakes.report({"b", 2, 1}, "third");
    mistakes.report({"b", 1, 10}, "second");
    mistakes.report({"a", 0, 0}, "first");
    CHECK(mistakes.any());
    std::string all;
    for (const Diagnostic& one : mistakes.take())
        all += one.print() + "\n";
    CHECK(all == "a: first\nb:1:10: second\nb:2:1: third\n");
    CHECK_FALSE(mistakes.any());
}

TEST_CASE("UTF-8 is told from other bytes", "[config]")
{
    for (const std::string_view text : {"", "a", "grün", "€", "\U0001F512", "\xf4\x8f\xbf\xbf"})
        CHECK(is_utf8(text));
    for (const std::string_view text : {"\x80", "\xc3", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                                        "\xf8\x88\x80\x80\x80", "a\xffz", "\xc3("})
        CHECK_FALSE(is_utf8(text));
}

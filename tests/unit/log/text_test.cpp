#include "sallyport/log/text.hpp"

#include "support/catch.hpp"

using namespace sallyport::log;

namespace {

std::string escaped(std::string_view text, std::size_t limit = 1000)
{
    std::string out;
    append_escaped(out, text, limit);
    return out;
}

} // namespace

TEST_CASE("Text is escaped so that it stays one JSON string on one line", "[log][text]")
{
    using namespace std::string_literals;
    const auto [text, expected] = GENERATE(table<std::string, std::string>({
        {"", ""},
        {"plain text, /path:1", "plain text, /path:1"},
        {"say \"hi\" \\ bye", R"(say \"hi\" \\ bye)"},
        {"a\nb\rc\td", R"(a\nb\rc\td)"},
        {"\0\x01\x1b[31m\x1f\x7f"s, R"(\u0000\u0001\u001b[31m\u001f\u007f)"},
        {"caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x94\x91", "caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x94\x91"},
        {"\xC2\x9B"
         "31m",
         R"(\u009b31m)"},                                // C1: another way to say escape-bracket
        {"\xE2\x80\xA8\xE2\x80\xA9", R"(\u2028\u2029)"}, // line and paragraph separators
        {"\xE2\x80\xAE"
         "abc\xE2\x80\xAC",
         R"(\u202eabc\u202c)"},                            // right-to-left override
        {"\xE2\x81\xA6x\xE2\x81\xA9", R"(\u2066x\u2069)"}, // isolates
        {"\xEF\xBB\xBF", R"(\ufeff)"},
    }));
    CHECK(escaped(text) == expected);
}

TEST_CASE("Bytes that are not UTF-8 become the replacement character", "[log][text]")
{
    const std::string bad = "\xEF\xBF\xBD";
    const auto [text, expected] = GENERATE_COPY(table<std::string, std::string>({
        {"a\xFF", "a" + bad},
        {"\x80z", bad + "z"},
        {"\xC3", bad},
        {"\xC3(", bad + "("},
        {"\xE2\x82", bad + bad},
        {"\xC0\xAF", bad + bad},                     // overlong '/'
        {"\xE0\x80\xAF", bad + bad + bad},           // overlong
        {"\xED\xA0\x80", bad + bad + bad},           // a surrogate
        {"\xF4\x90\x80\x80", bad + bad + bad + bad}, // above U+10FFFF
        {"\xF8\x88\x80\x80\x80", bad + bad + bad + bad + bad},
        {"\xF4\x8F\xBF\xBF", "\xF4\x8F\xBF\xBF"}, // U+10FFFF itself
        {"\xED\x9F\xBF", "\xED\x9F\xBF"},         // the last before the surrogates
    }));
    CHECK(escaped(text) == expected);
}

TEST_CASE("A text that is too long ends in an ellipsis, never inside a character", "[log][text]")
{
    const std::string ellipsis = "\xE2\x80\xA6";
    CHECK(escaped("abcdef", 6) == "abcdef");
    CHECK(escaped("abcdefg", 6) == "abcdef" + ellipsis);
    CHECK(escaped("abcde\n", 6) == "abcde" + ellipsis);
    CHECK(escaped("abcd\xE2\x82\xAC", 6) == "abcd" + ellipsis);
    CHECK(escaped("abcd\x01", 6) == "abcd" + ellipsis);
}

TEST_CASE("A bare word needs no quotes", "[log][text]")
{
    const auto [text, bare] = GENERATE(table<std::string, bool>({
        {"word", true},
        {"[2001:db8::1]:443", true},
        {"a/b-c_d.e,f;g", true},
        {"", false},
        {"two words", false},
        {"a=b", false},
        {"quote\"", false},
        {"back\\slash", false},
        {"line\n", false},
        {"caf\xC3\xA9", false},
        {"\x7f", false},
    }));
    CAPTURE(text);
    CHECK(is_bare_word(text) == bare);
}

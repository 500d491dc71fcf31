#include "sallyport/http/field_name.hpp"

#include <algorithm>
#include <string>

#include "sallyport/http/name_set.hpp"
#include "support/catch.hpp"

using namespace sallyport::http;

namespace {

FieldName found_plainly(std::string name)
{
    std::ranges::transform(name, name.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
    std::string hyphened = name;
    std::ranges::replace(hyphened, '_', '-');
    for (std::size_t i = 2; i < kFieldNames; ++i) {
        if (text(static_cast<FieldName>(i)) != hyphened) continue;
        return hyphened == name ? static_cast<FieldName>(i) : FieldName::lookalike;
    }
    return FieldName::other;
}

} // namespace

TEST_CASE("Every known name is found, in any case", "[http][names]")
{
    for (std::size_t i = 2; i < kFieldNames; ++i) {
        const auto id = static_cast<FieldName>(i);
        std::string name{text(id)};
        CAPTURE(name);
        CHECK(field_name(name) == id);
        std::ranges::transform(name, name.begin(), [](char c) { return static_cast<char>(std::toupper(c)); });
        CHECK(field_name(name) == id);
    }
    CHECK(text(FieldName::transfer_encoding) == "transfer-encoding");
    CHECK(text(FieldName::x_forwarded_for) == "x-forwarded-for");
    CHECK(text(FieldName::host) == "host");
    CHECK(text(FieldName::te) == "te");
}

TEST_CASE("A name that is nearly known is another one", "[http][names]")
{
    for (std::size_t i = 2; i < kFieldNames; ++i) {
        const std::string name{text(static_cast<FieldName>(i))};
        for (std::size_t at = 0; at < name.size(); ++at) {
            std::string changed = name;
            changed[at] = '~';
            CHECK(field_name(changed) == FieldName::other);
        }
        CHECK(field_name(name + "x") == FieldName::other);
        CHECK(field_name(name.substr(1)) != static_cast<FieldName>(i));
    }
    CHECK(field_name("") == FieldName::other);
    CHECK(field_name("a") == FieldName::other);
    CHECK(field_name(std::string(1000, 'a')) == FieldName::other);
}

TEST_CASE("A known name with any byte changed is what a plain search says", "[http][names]")
{
    // Goal: words compared at once take nothing for a letter that is none. Method: all bytes at all places.
    std::size_t wrong = 0;
    for (std::size_t i = 2; i < kFieldNames; ++i) {
        const std::string name{text(static_cast<FieldName>(i))};
        for (std::size_t at = 0; at < name.size(); ++at) {
            for (int byte = 0; byte < 256; ++byte) {
                std::string changed = name;
                changed[at] = static_cast<char>(byte);
                if (field_name(changed) != found_plainly(changed)) ++wrong;
            }
        }
    }
    CHECK(wrong == 0);
}

TEST_CASE("A known name with underscores is a look-alike", "[http][names]")
{
    CHECK(field_name("X_Forwarded_For") == FieldName::lookalike);
    CHECK(field_name("x-forwarded_for") == FieldName::lookalike);
    CHECK(field_name("Content_Length") == FieldName::lookalike);
    CHECK(field_name("X_Other") == FieldName::other);
}

TEST_CASE("A set of names looks neither at case nor at underscores", "[http][names]")
{
    NameSet set;
    set.insert("X-User");
    set.insert("X-Forwarded-For");
    const auto holds = [&](std::string_view name) { return set.contains({name, "", field_name(name)}); };
    CHECK(holds("X-User"));
    CHECK(holds("x-user"));
    CHECK(holds("X_USER"));
    CHECK(holds("x-forwarded-for"));
    CHECK_FALSE(holds("X-Users"));
    CHECK_FALSE(holds("X-Forwarded-Host"));
    CHECK_FALSE(holds("Host"));
}

TEST_CASE("What may be written is known before", "[http][names]")
{
    CHECK(is_token("X-User"));
    CHECK_FALSE(is_token(""));
    CHECK_FALSE(is_token("X User"));
    CHECK_FALSE(is_token("X:"));
    CHECK(is_field_value(""));
    CHECK(is_field_value("a b\tc"));
    CHECK_FALSE(is_field_value(" a"));
    CHECK_FALSE(is_field_value("a "));
    CHECK_FALSE(is_field_value("a\r\nB: c"));
    CHECK_FALSE(is_field_value(std::string_view{"a\0b", 3}));
}

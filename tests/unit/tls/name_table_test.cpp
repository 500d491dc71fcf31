#include "tls/name_table.hpp"

#include "support/catch.hpp"

using sallyport::tls::NameTable;

TEST_CASE("A server name finds its exact entry, then a wildcard for one label, then nothing", "[tls][rfc6125-6.4.3]")
{
    NameTable<int> names;
    names.add("example.com", 1);
    names.add("*.example.com", 2);
    names.add("www.example.com", 3);
    names.add("localhost", 4);
    names.add("*.deep.example.com", 5);

    const auto [name, expected] = GENERATE(table<std::string, std::optional<int>>({
        {"example.com", 1},
        {"EXAMPLE.Com", 1},
        {"example.com.", 1},
        {"www.example.com", 3},
        {"WWW.example.com", 3},
        {"mail.example.com", 2},
        {"Mail.Example.COM.", 2},
        {"a.mail.example.com", std::nullopt},
        {"a.deep.example.com", 5},
        {"deep.example.com", 2},
        {".example.com", std::nullopt},
        {"localhost", 4},
        {"xexample.com", std::nullopt},
        {"com", std::nullopt},
        {"", std::nullopt},
        {".", std::nullopt},
        {"..", std::nullopt},
    }));
    CAPTURE(name);
    CHECK(names.find(name) == expected);
}

TEST_CASE("A server name longer than a name can be finds nothing", "[tls]")
{
    NameTable<int> names;
    const std::string longest(sallyport::tls::kServerNameMax, 'a');
    names.add(longest, 1);
    CHECK(names.find(longest) == 1);
    CHECK(names.find(longest + '.') == 1);
    CHECK_FALSE(names.find(longest + 'a'));
}

#include "config/json.hpp"
#include "config/yaml.hpp"
#include "support/catch.hpp"

using namespace sallyport::config;

namespace {

std::string mistakes_in(const std::string& text)
{
    Mistakes mistakes;
    const bool is_read = read_yaml(text, "f", mistakes).has_value();
    std::string all;
    for (const Diagnostic& one : mistakes.take())
        all += one.print() + "\n";
    return (is_read ? "read\n" : "refused\n") + all;
}

} // namespace

TEST_CASE("Every value knows its place", "[config]")
{
    Mistakes mistakes;
    const auto root = read_yaml("a: 1\nb:\n  - x\n  - c: \"q\"\nd:\n", "f", mistakes);
    REQUIRE(root.has_value());
    const Node& list = *root->find("b");
    CHECK(list.items[0].at.line == 3);
    CHECK(list.items[0].at.column == 5);
    CHECK(list.items[1].find("c")->at.column == 8);
    CHECK(list.items[1].find("c")->quoted);
    CHECK(root->find("d")->form == Node::Form::null);
    CHECK(root->find("d")->at.line == 5);
    CHECK(root->find("e") == nullptr);
}

TEST_CASE("What YAML allows and a configuration does not is reported with its place", "[config]")
{
    const auto [text, expected] = GENERATE(table<std::string, std::string>({
        {"a: 1\nb: 2\na: 3\n", "read\nf:3:1: the key 'a' is here twice: first on line 1\n"},
        {"? [1]\n: 2\n", "read\nf:1:3: a key must be a single word\n"},
        {"a: !secret x\n", "read\nf:1:4: the tag '!secret' has no meaning here\n"},
        {"a: 1\n---\nb: 2\n",
         "read\nf:2:1: the configuration has ended before this: there is one YAML document only\n"},
        {"\"a\" ,", "read\nf:1:5: the configuration has ended before this: there is one YAML document only\n"},
        {",", "read\nf:1:1: the configuration has ended before this: there is one YAML document only\n"},
        {"a: [1\nb: 2", "refused\nf:2:2: this is not YAML: end of sequence flow not found\n"},
        {"a: b: c\n", "refused\nf:1:5: this is not YAML: illegal map value\n"},
        {"&a [*a]", "refused\nf:1:1: too large or too deeply nested\n"},
        {"a: \"\\\n\\\x1b\"", "refused\nf:2:3: this is not YAML: unknown escape character: ?\n"},
        {"", "read\n"},
        {"# nothing\n", "read\n"},
    }));
    CAPTURE(text);
    CHECK(mistakes_in(text) == expected);
}

TEST_CASE("A variable without quotes inside braces gets a hint", "[config]")
{
    CHECK(mistakes_in("a: {b: ${C}}\n").find("a variable needs quotes: \"${NAME}\"") != std::string::npos);
}

TEST_CASE("A small text cannot become an endless tree", "[config]")
{
    std::string bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
    for (int i = 1; i < 9; ++i) {
        const std::string last = "*a" + std::to_string(i - 1);
        const std::string name = "a" + std::to_string(i);
        bomb += name + ": &" + name + " [" + last;
        for (int k = 0; k < 9; ++k)
            bomb += "," + last;
        bomb += "]\n";
    }
    CHECK(mistakes_in(bomb) == "refused\nf:1:1: too large or too deeply nested\n");
    CHECK(mistakes_in(std::string(2 * 1024 * 1024, '#')) == "refused\nf:1:1: larger than 1 MiB\n");
    CHECK(mistakes_in(std::string(100'000, '[')).starts_with("refused\n"));
}

TEST_CASE("Strings that look like something else keep their quotes in YAML and in JSON", "[config]")
{
    Node node = mapping_node();
    for (const std::string_view text : {"word", "off", "Null", "443", "0660", ":443", "a: b", "", "/run/x", "a\"b\\"})
        node.put("k" + std::to_string(node.items.size()), string_node(text));
    node.put("number", plain_node("5"));
    node.put("time", plain_node("10s"));
    node.put("yes", plain_node("true"));
    CHECK(write_yaml(node) ==
          "k0: word\nk1: \"off\"\nk2: \"Null\"\nk3: \"443\"\nk4: \"0660\"\nk5: \":443\"\nk6: \"a: b\"\n"
          "k7: \"\"\nk8: /run/x\nk9: \"a\\\"b\\\\\"\nnumber: 5\ntime: 10s\nyes: true\n");
    const std::string json = write_json(node);
    CHECK(json.find("\"k3\": \"443\"") != std::string::npos);
    CHECK(json.find("\"k9\": \"a\\\"b\\\\\"") != std::string::npos);
    CHECK(json.find("\"number\": 5") != std::string::npos);
    CHECK(json.find("\"time\": \"10s\"") != std::string::npos);
    CHECK(json.find("\"yes\": true") != std::string::npos);
    CHECK(write_json(string_node("a\nb\x01")) == "\"a\\u000ab\\u0001\"\n");
}

#include "config/expand.hpp"
#include "support/catch.hpp"

using namespace sallyport::config;

namespace {

std::optional<std::string> environment(std::string_view name)
{
    if (name == "NAME") return "value";
    if (name == "EMPTY") return "";
    if (name == "DOLLAR") return "${NAME}";
    return std::nullopt;
}

} // namespace

TEST_CASE("Variables are expanded as a shell does", "[config]")
{
    const auto [text, expanded] = GENERATE(table<std::string, std::string>({
        {"", ""},
        {"plain", "plain"},
        {"${NAME}", "value"},
        {"a${NAME}b${NAME}c", "avaluebvaluec"},
        {"${NAME:-other}", "value"},
        {"${EMPTY}", ""},
        {"${EMPTY:-other}", "other"},
        {"${UNSET:-other}", "other"},
        {"${UNSET:-}", ""},
        {"${UNSET:-a:-b}", "a:-b"},
        {"${UNSET:-a$b}", "a$b"},
        {"$$", "$"},
        {"$${NAME}", "${NAME}"},
        {"$$$${NAME}", "$${NAME}"},
        {"$NAME", "$NAME"},
        {"a$", "a$"},
        {"${DOLLAR}", "${NAME}"},
    }));
    CAPTURE(text);
    CHECK(expand(text, environment).value() == expanded);
}

TEST_CASE("A variable that cannot be expanded is named", "[config]")
{
    const auto [text, complaint] = GENERATE(table<std::string, std::string>({
        {"a ${UNSET} b", "UNSET is not set: set it, or write ${UNSET:-default}"},
        {"${NAME", "'${' has no '}'"},
        {"${}", "'' is not the name of a variable: write ${NAME}"},
        {"${1A}", "'1A' is not the name of a variable: write ${NAME}"},
        {"${A B}", "'A B' is not the name of a variable: write ${NAME}"},
        {"${:-x}", "'' is not the name of a variable: write ${NAME}"},
        {"${NAME-x}", "'NAME-x' is not the name of a variable: write ${NAME}"},
    }));
    CAPTURE(text);
    CHECK(expand(text, environment).error() == complaint);
}

TEST_CASE("An escaped text expands to itself", "[config]")
{
    const auto text = GENERATE(as<std::string>{}, "", "a", "$", "$$", "${NAME}", "$${", "a$b$$c");
    CHECK(expand(escape(text), environment).value() == text);
}

#include "sallyport/site/error_answer.hpp"

#include <string>

#include "support/catch.hpp"

using namespace sallyport;
using namespace sallyport::site;

namespace {

std::string form(AnswerForm form)
{
    return form == AnswerForm::html ? "html" : "json";
}

} // namespace

TEST_CASE("People get HTML, programs get JSON", "[site][accept]")
{
    const auto [accept, expected] = GENERATE(table<std::string, std::string>({
        // Chromium, Firefox and Safari, as they navigate
        {"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,"
         "application/signed-exchange;v=b3;q=0.7",
         "html"},
        {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "html"},
        {"text/html", "html"},
        {"TEXT/HTML;Charset=utf-8", "html"},
        {"text/*", "html"},
        {"application/xhtml+xml", "html"},
        {"application/json, text/html", "html"},
        {"application/json;q=0.5, text/html;q=0.6", "html"},
        {"text/html ; q=0.001", "html"},
        {"image/png, text/html;level=1;q=0.3", "html"},
        // curl, httpx, fetch
        {"*/*", "json"},
        {"", "json"},
        {"application/json", "json"},
        {"application/json, text/plain, */*", "json"}, // axios
        {"application/problem+json, text/html;q=0.9", "json"},
        {"application/vnd.api+json;q=0.8, text/html;q=0.7", "json"},
        {"application/json, text/html;q=0.9", "json"},
        {"text/html;q=0, */*", "json"},
        {"text/html;q=0.000", "json"},
        {"image/avif,image/webp,*/*;q=0.8", "json"}, // an image of a page
        {"application/grpc", "json"},
        {"text/plain", "json"},
        // what is no Accept at all
        {",,,;;;q=,", "json"},
        {"q=1", "json"},
        {"text/html;q=9", "html"},
        {"text/html;q=0.12345", "html"},
        {"text/html;q=0.x, application/json;q=0.9", "html"},
        {"text/html;q=", "html"},
        {"+json", "json"},
        {"text/htmlx", "json"},
        {"\xFF\xFE/html", "json"},
    }));
    CAPTURE(accept);
    CHECK(form(answer_form(accept)) == expected);
}

TEST_CASE("Several lines of Accept are one list", "[site][accept]")
{
    http::Fields fields;
    CHECK(answer_form(fields) == AnswerForm::json);
    fields.add("accept", "application/json;q=0.5");
    CHECK(answer_form(fields) == AnswerForm::json);
    fields.add("Host", "text/html");
    CHECK(answer_form(fields) == AnswerForm::json);
    fields.add("ACCEPT", "text/html");
    CHECK(answer_form(fields) == AnswerForm::html);
}

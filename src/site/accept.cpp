// Which form an error answer takes: content negotiation (RFC 9110 §12.5.1) between two.
#include <algorithm>
#include <cstddef>
#include <string_view>

#include "lower.hpp"
#include "sallyport/site/error_answer.hpp"
#include "words.hpp"

namespace sallyport::site {

namespace {

/// A weight in thousandths (RFC 9110 §12.4.2): at most three digits after the point; what is none of these counts as 1.
int weight_of(std::string_view text)
{
    constexpr int kWhole = 1000;
    if (text.empty() || text.front() != '0') return kWhole;
    if (text.size() == 1) return 0;
    if (text[1] != '.' || text.size() > 5) return kWhole;
    int weight = 0;
    int unit = kWhole / 10;
    for (const char c : text.substr(2)) {
        if (c < '0' || c > '9') return kWhole;
        weight += (c - '0') * unit;
        unit /= 10;
    }
    return weight;
}

/// The part in front of the separator, without blanks around it; `rest` loses it and the separator.
std::string_view next(std::string_view& rest, char separator)
{
    const std::size_t end = std::min(rest.find(separator), rest.size());
    const std::string_view part = trimmed(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return part;
}

int weight_in(std::string_view parameters)
{
    while (!parameters.empty()) {
        const std::string_view parameter = next(parameters, ';');
        if (parameter.size() >= 2 && lower(parameter[0]) == 'q' && parameter[1] == '=')
            return weight_of(parameter.substr(2));
    }
    return weight_of({});
}

bool is_html(std::string_view range)
{
    return is_in_lower_case(range, "text/html") || is_in_lower_case(range, "application/xhtml+xml") ||
           is_in_lower_case(range, "text/*");
}

bool is_json(std::string_view range)
{
    constexpr std::string_view kSuffix = "+json";
    return is_in_lower_case(range, "application/json") ||
           (range.size() > kSuffix.size() && is_in_lower_case(range.substr(range.size() - kSuffix.size()), kSuffix));
}

struct Liking {
    int html{0};
    int json{0};

    void add(std::string_view accept)
    {
        while (!accept.empty()) {
            std::string_view parameters = next(accept, ',');
            const std::string_view range = next(parameters, ';');
            if (is_html(range)) html = std::max(html, weight_in(parameters));
            if (is_json(range)) json = std::max(json, weight_in(parameters));
        }
    }
    [[nodiscard]] AnswerForm form() const { return html > 0 && html >= json ? AnswerForm::html : AnswerForm::json; }
};

} // namespace

AnswerForm answer_form(std::string_view accept)
{
    Liking liking;
    liking.add(accept);
    return liking.form();
}

AnswerForm answer_form(const http::Fields& fields)
{
    Liking liking;
    if (fields.find(http::FieldName::accept) != nullptr) {
        for (const http::Field& field : fields)
            if (field.id == http::FieldName::accept) liking.add(field.value);
    }
    return liking.form();
}

} // namespace sallyport::site

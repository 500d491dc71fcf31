#include "sallyport/site/error_answer.hpp"

#include <limits>

#include "sallyport/log/text.hpp"
#include "words.hpp"

namespace sallyport::site {

namespace {

constexpr std::string_view kRetryAfter = "5"; // seconds: another replica, or a shorter queue

/// The 431's own sentence is made of two facts; everything else has its row.
struct Sentence {
    std::string_view text;
    bool has_field;
};

Sentence sentence_of(const ErrorAnswer& answer)
{
    switch (status_of(answer)) {
    case 414:
        return {"The address of the request is longer than what is accepted here.", false};
    case 431:
        return {"The header fields of the request are larger than what is accepted here.", answer.field_size > 0};
    default:
        return {facts(answer.reason).say, false};
    }
}

void append_html_escaped(std::string& out, std::string_view text)
{
    for (const char c : text) {
        switch (c) {
        case '&':
            out += "&amp;";
            break;
        case '<':
            out += "&lt;";
            break;
        case '>':
            out += "&gt;";
            break;
        case '"':
            out += "&quot;";
            break;
        default:
            out += c;
        }
    }
}

void append_html(std::string& out, const ErrorAnswer& answer)
{
    const Digits status{status_of(answer)};
    const std::string_view title = status_text(status_of(answer));
    const auto [say, has_field] = sentence_of(answer);
    out.append("<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>");
    out.append(status.text()).append(" ").append(title);
    out.append("</title></head>\n<body>\n<h1>").append(status.text()).append(" ").append(title);
    out.append("</h1>\n<p>").append(say).append("</p>\n");
    if (has_field) {
        out.append("<p>The largest is ");
        if (answer.field.empty()) out.append("one without a valid name");
        append_html_escaped(out, answer.field);
        out.append(": ").append(Digits{answer.field_size}.text()).append(" bytes.</p>\n");
    }
    if (!answer.request_id.empty()) {
        out.append("<p>Request <code>");
        append_html_escaped(out, answer.request_id);
        out.append("</code></p>\n");
    }
    out.append("</body>\n</html>\n");
}

void append_member(std::string& out, std::string_view name, std::string_view value)
{
    out.append(",\"").append(name).append("\":\"");
    log::append_escaped(out, value, std::numeric_limits<std::uint16_t>::max());
    out.append("\"");
}

/// RFC 9457 §3.
void append_json(std::string& out, const ErrorAnswer& answer)
{
    const auto [say, has_field] = sentence_of(answer);
    out.append("{\"status\":").append(Digits{status_of(answer)}.text());
    append_member(out, "title", status_text(status_of(answer)));
    append_member(out, "detail", say);
    if (has_field) {
        if (!answer.field.empty()) append_member(out, "largest_field", answer.field);
        out.append(",\"largest_field_bytes\":").append(Digits{answer.field_size}.text());
    }
    if (!answer.request_id.empty()) append_member(out, "request_id", answer.request_id);
    out.append("}\n");
}

std::string_view content_type(AnswerForm form)
{
    return form == AnswerForm::html ? "text/html; charset=utf-8" : "application/problem+json";
}

} // namespace

std::uint16_t status_of(const ErrorAnswer& answer)
{
    return answer.status != 0 ? answer.status : facts(answer.reason).status;
}

void append_error_body(std::string& out, const ErrorAnswer& answer)
{
    if (answer.form == AnswerForm::html)
        append_html(out, answer);
    else
        append_json(out, answer);
}

ErrorFields::ErrorFields(const ErrorAnswer& answer, std::size_t body_size) : date_{answer.now}
{
    const Digits length{body_size};
    std::ranges::copy(length.text(), length_.begin());
    add("date", date_.text());
    add("content-type", content_type(answer.form));
    add("content-length", {length_.data(), length.text().size()});
    add("cache-control", "no-store");
    add("x-content-type-options", "nosniff");
    if (status_of(answer) == 503) add("retry-after", kRetryAfter);
    if (!answer.request_id.empty() && http::is_field_value(answer.request_id)) add("x-request-id", answer.request_id);
    for (const http::Line& line : answer.added)
        add(line.name, line.value);
}

void ErrorFields::add(std::string_view name, std::string_view value)
{
    if (size_ < lines_.size()) lines_[size_++] = {name, value};
}

} // namespace sallyport::site

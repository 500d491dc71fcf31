#include "sallyport/site/access_log.hpp"

#include <algorithm>
#include <chrono>

#include "access_text.hpp"
#include "lower.hpp"

namespace sallyport::site {

namespace {

bool holds_url(std::string_view name)
{
    return name.ends_with("url") || name.ends_with("uri") || name == "referer";
}

const http::Field* find(const http::Fields& fields, http::FieldName id, std::string_view name)
{
    if (id != http::FieldName::other) return fields.find(id);
    const auto found =
        std::ranges::find_if(fields, [&](const http::Field& f) { return is_in_lower_case(f.name, name); });
    return found == fields.end() ? nullptr : &*found;
}

} // namespace

/// Collects the fields of one line; what is empty or did not come to be is left out.
class AccessLog::Line {
public:
    explicit Line(std::vector<log::Field>& fields) : fields_{fields} { fields_.clear(); }

    void text(std::string_view name, std::string_view value)
    {
        if (!value.empty()) fields_.emplace_back(name, value);
    }
    void number(std::string_view name, std::uint64_t value) { fields_.emplace_back(name, value); }
    void time(std::string_view name, MaybeMs value)
    {
        if (value) fields_.emplace_back(name, *value);
    }
    void flag(std::string_view name, bool value) { fields_.emplace_back(name, value); }

private:
    std::vector<log::Field>& fields_;
};

namespace {

void add_outcome(auto& line, const Exchange& exchange)
{
    line.text("client", exchange.connection.client);
    line.text("via", exchange.connection.via);
    line.text("listener", exchange.connection.listener);
    line.text("http", exchange.http);
    line.number("request", exchange.number);
    line.text("request_id", exchange.request_id);
    line.number("status", shown_status(exchange));
    line.text("reason", facts(exchange.reason).name);
    line.text("detail", exchange.detail);
    line.number("bytes_from_client", exchange.bytes_from_client);
    line.number("bytes_to_client", exchange.bytes_to_client);
    line.number("duration_ms", exchange.duration_ms);
    line.time("first_byte_ms", exchange.first_byte_ms);
}

void add_upstream(auto& line, const Exchange& exchange)
{
    if (exchange.upstream.empty()) return;
    line.text("upstream", exchange.upstream);
    line.text("upstream_address", exchange.upstream_address);
    line.time("upstream_ms", exchange.upstream_ms);
    line.time("connect_ms", exchange.connect_ms);
    line.flag("reused", exchange.reused);
    line.flag("replayed", exchange.replayed);
}

void add_tls(auto& line, const ConnectionFacts& connection)
{
    if (connection.tls.empty()) return;
    line.text("tls", connection.tls);
    line.text("cipher", connection.cipher);
    line.text("group", connection.group);
    line.text("sni", connection.sni);
    line.text("alpn", connection.alpn);
    line.flag("resumed", connection.resumed);
}

} // namespace

AccessLog::AccessLog(const ipc::AccessLog& settings)
    : format_{settings.format}, on_{settings.format != ipc::AccessFormat::none}, redaction_{settings.redact}
{
    for (const std::string& header : settings.headers) {
        const std::string name = in_lower_case(header);
        const Shown shown = redaction_.is_secret(name) ? Shown::redacted : holds_url(name) ? Shown::url : Shown::whole;
        logged_.push_back({name, "header." + name, http::field_name(name), shown, {}});
    }
}

void AccessLog::write(const Exchange& exchange)
{
    target_.clear();
    redaction_.append_url(target_, exchange.target);
    referer_.clear();
    redaction_.append_url(referer_, value_of(exchange, http::FieldName::referer));
    if (format_ == ipc::AccessFormat::structured) return write_structured(exchange);
    text_.clear();
    append_common(text_, exchange, target_, std::chrono::system_clock::now());
    if (format_ == ipc::AccessFormat::combined)
        append_combined(text_, referer_, value_of(exchange, http::FieldName::user_agent));
    log::write_as_is(facts(exchange.reason).level, text_);
}

// What strangers choose the length of stands last: of a line that is too long the end is cut.
void AccessLog::write_structured(const Exchange& exchange)
{
    Line line{line_};
    add_outcome(line, exchange);
    add_upstream(line, exchange);
    add_tls(line, exchange.connection);
    add_request(line, exchange);
    log::write(facts(exchange.reason).level, "exchange ended", line_);
}

void AccessLog::add_request(Line& line, const Exchange& exchange)
{
    line.text("method", exchange.method);
    line.text("host", exchange.host);
    line.text("target", target_);
    line.text("referer", referer_);
    line.text("user_agent", value_of(exchange, http::FieldName::user_agent));
    if (exchange.fields == nullptr) return;
    for (LoggedField& logged : logged_) {
        const http::Field* const field = find(*exchange.fields, logged.id, logged.name);
        if (field != nullptr) line.text(logged.label, shown(logged, field->value));
    }
}

std::string_view AccessLog::shown(LoggedField& logged, std::string_view value) const
{
    switch (logged.shown) {
    case Shown::whole:
        return value;
    case Shown::redacted:
        return kRedacted;
    case Shown::url:
        break;
    }
    logged.url.clear();
    redaction_.append_url(logged.url, value);
    return logged.url;
}

} // namespace sallyport::site

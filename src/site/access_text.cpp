#include "access_text.hpp"

#include "calendar.hpp"
#include "words.hpp"

namespace sallyport::site {

namespace {

/// The address without its port; "-" for a Unix socket.
std::string_view host_of(std::string_view client)
{
    const std::string_view host = client.substr(0, client.rfind(':'));
    if (host.starts_with('[') && host.ends_with(']')) return host.substr(1, host.size() - 2);
    return host.empty() || client.starts_with("unix:") ? "-" : host;
}

// "[22/Nov/2026:10:17:19 +0000]"
void append_time(std::string& out, std::chrono::system_clock::time_point time)
{
    const std::tm utc = utc_of(time);
    const std::size_t begin = out.size();
    out += "[00/Jan/0000:00:00:00 +0000]";
    char* const at = out.data() + begin;
    put_number(at + 1, 2, utc.tm_mday);
    std::ranges::copy(month(utc), at + 4);
    put_number(at + 8, 4, utc.tm_year + 1900);
    put_clock(at + 13, utc);
}

/// As httpd writes it: quotes and backslashes behind a backslash, all that is not printable ASCII as \xhh. What is
/// longer than kShownMax is cut.
void append_escaped(std::string& out, std::string_view text)
{
    constexpr std::string_view kHex = "0123456789abcdef";
    const std::size_t end = out.size() + kShownMax;
    for (const char c : text) {
        if (out.size() >= end) break;
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\')
            (out += '\\') += c;
        else if (byte >= 0x20 && byte < 0x7F)
            out += c;
        else
            ((out += "\\x") += kHex[byte >> 4]) += kHex[byte & 0xF];
    }
}

void append_quoted(std::string& out, std::string_view text)
{
    out += " \"";
    append_escaped(out, text.empty() ? "-" : text);
    out += '"';
}

void append_request(std::string& out, const Exchange& exchange, std::string_view target)
{
    if (exchange.method.empty()) return append_quoted(out, {});
    out += " \"";
    append_escaped(out, exchange.method);
    out += ' ';
    append_escaped(out, target);
    if (!exchange.http.empty()) out.append(" HTTP/").append(exchange.http);
    out += '"';
}

} // namespace

void append_common(std::string& out, const Exchange& exchange, std::string_view target,
                   std::chrono::system_clock::time_point time)
{
    const Digits status{shown_status(exchange)};
    const Digits size{exchange.bytes_to_client};
    out.append(host_of(exchange.connection.client)).append(" - - ");
    append_time(out, time);
    append_request(out, exchange, target);
    out.append(" ").append(status.text()).append(" ").append(exchange.bytes_to_client == 0 ? "-" : size.text());
}

void append_combined(std::string& out, std::string_view referer, std::string_view user_agent)
{
    append_quoted(out, referer);
    append_quoted(out, user_agent);
}

} // namespace sallyport::site

#include "sallyport/site/redaction.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>

#include "lower.hpp"

namespace sallyport::site {

namespace {

using namespace std::string_view_literals;

// Both lists as `BareName` makes names: letters and digits alone.
constexpr std::array kSecretNames{
    "assertion"sv,    "auth"sv,    "bearer"sv, "code"sv, "codeverifier"sv, "hmac"sv,   "key"sv,
    "oauth"sv,        "otp"sv,     "pass"sv,   "pin"sv,  "pw"sv,           "pwd"sv,    "samlrequest"sv,
    "samlresponse"sv, "session"sv, "sid"sv,    "sig"sv,  "state"sv,        "ticket"sv,
};
constexpr std::array kSecretEndings{
    "accesskey"sv,  "apikey"sv,      "assertion"sv,       "authkey"sv,   "authorization"sv, "cookie"sv,
    "credential"sv, "credentials"sv, "functionskey"sv,    "jwt"sv,       "passphrase"sv,    "passwd"sv,
    "password"sv,   "privatekey"sv,  "secret"sv,          "secretkey"sv, "sessid"sv,        "sessionid"sv,
    "sharedkey"sv,  "signature"sv,   "subscriptionkey"sv, "token"sv,
};

std::optional<unsigned> hex_digit(char c)
{
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    const char small = lower(c);
    if (small >= 'a' && small <= 'f') return static_cast<unsigned>(small - 'a' + 10);
    return std::nullopt;
}

struct Decoded {
    char value;
    std::size_t size; ///< of what stood for it
};

/// The first character, percent-decoded. A '%' that begins no code is itself.
Decoded decode(std::string_view text)
{
    if (text.front() == '%' && text.size() >= 3) {
        const auto high = hex_digit(text[1]);
        const auto low = hex_digit(text[2]);
        if (high && low) return {static_cast<char>(*high << 4 | *low), 3};
    }
    return {text.front(), 1};
}

bool is_alphanumeric(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/// A name without anything that its writers vary: decoded, small letters and digits alone.
class BareName {
public:
    explicit BareName(std::string_view name)
    {
        while (!name.empty()) {
            const auto [value, size] = decode(name);
            add(lower(value));
            name.remove_prefix(size);
        }
    }
    [[nodiscard]] std::string_view text() const { return {text_.data(), size_}; }
    [[nodiscard]] bool is_too_long() const { return too_long_; }

private:
    void add(char c)
    {
        if (!is_alphanumeric(c)) return;
        if (size_ < text_.size())
            text_[size_++] = c;
        else
            too_long_ = true;
    }

    std::array<char, 128> text_;
    std::size_t size_{0};
    bool too_long_{false};
};

constexpr bool ends_authority(char c)
{
    return c == '/' || c == '?' || c == '#';
}
constexpr bool begins_parameters(char c)
{
    return c == '?' || c == ';' || c == '#';
}
constexpr bool separates(char c)
{
    return begins_parameters(c) || c == '&';
}

/// The first place of such a character, or the end. (`find_first_of` calls a function for each.)
std::size_t find(std::string_view text, bool (*is_it)(char), std::size_t from = 0)
{
    return static_cast<std::size_t>(std::find_if(text.begin() + static_cast<std::ptrdiff_t>(from), text.end(), is_it) -
                                    text.begin());
}

/// Where the authority of a URL begins: behind "https://" or "//", else at its front; nowhere if it is a path.
std::optional<std::size_t> begin_of_authority(std::string_view url)
{
    const std::size_t slash = find(url, ends_authority);
    if (url.substr(slash).starts_with("//") && (slash == 0 || url[slash - 1] == ':')) return slash + 2;
    if (slash == 0) return std::nullopt;
    return 0;
}

/// Appends what stands in front of the user's name, and takes it and the name from the URL.
void append_without_user(std::string& out, std::string_view& url)
{
    const auto begin = begin_of_authority(url);
    if (!begin) return;
    const std::string_view authority = url.substr(*begin, find(url, ends_authority, *begin) - *begin);
    const std::size_t at = authority.rfind('@');
    if (at == std::string_view::npos) return;
    out += url.substr(0, *begin);
    url.remove_prefix(*begin + at + 1);
}

/// Where, in a value that is itself a URL or a query, perhaps percent-encoded, a secret one begins.
std::optional<std::size_t> secret_within(std::string_view value, const Redaction& redaction)
{
    std::size_t name = 0;
    for (std::size_t i = 0; i < value.size();) {
        const auto [c, size] = decode(value.substr(i));
        if (c == '=' && redaction.is_secret(value.substr(name, i - name))) return i + size;
        i += size;
        if (c == '=' || separates(c)) name = i;
    }
    return std::nullopt;
}

void append_parameter(std::string& out, std::string_view parameter, const Redaction& redaction)
{
    const auto secret = secret_within(parameter, redaction);
    const bool is_shown = !secret || *secret == parameter.size();
    out += is_shown ? parameter : parameter.substr(0, *secret);
    if (!is_shown) out += kRedacted;
}

} // namespace

Redaction::Redaction(std::span<const std::string> more)
{
    for (const std::string& name : more)
        if (const BareName bare{name}; !bare.text().empty()) names_.emplace_back(bare.text());
}

bool Redaction::is_secret(std::string_view name) const
{
    const BareName bare{name};
    const auto is_it = [&](std::string_view secret) { return bare.text() == secret; };
    const auto ends_it = [&](std::string_view secret) { return bare.text().ends_with(secret); };
    // Nobody's name is so long: rather one too many.
    return bare.is_too_long() || std::ranges::any_of(kSecretNames, is_it) ||
           std::ranges::any_of(kSecretEndings, ends_it) || std::ranges::any_of(names_, is_it);
}

void Redaction::append_url(std::string& out, std::string_view url) const
{
    append_without_user(out, url);
    const bool is_cut = url.size() > kUrlMax;
    url = url.substr(0, kUrlMax);
    const std::size_t path = find(url, begins_parameters);
    out += url.substr(0, path);
    url.remove_prefix(path);
    while (!url.empty()) {
        out += url.front();
        const std::size_t end = find(url, separates, 1);
        append_parameter(out, url.substr(1, end - 1), *this);
        url.remove_prefix(end);
    }
    if (is_cut) out += "...";
}

} // namespace sallyport::site

// What must not be in a log: the values of query parameters and fields that are secrets, and the passwords of URLs.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::site {

/// What stands in place of such a value.
inline constexpr std::string_view kRedacted = "REDACTED";

/// What is longer is cut: a log line shows less.
inline constexpr std::size_t kUrlMax = 2048;

/// A name is secret if it is one of a list (code, key, session …), or ends in the word for one (…token, …password,
/// …secret, …signature). Case, percent-encoding and all but letters and digits do not matter: `access_token`,
/// `accessToken`, `X-Amz-Security-Token` and `user%5Bpassword%5D` are.
class Redaction {
public:
    /// `more`: names beside the built-in ones, each meant whole.
    explicit Redaction(std::span<const std::string> more = {});

    [[nodiscard]] bool is_secret(std::string_view name) const;

    /// Appends a request target or a referer: `/a?x=1&token=REDACTED`; without the user and password of
    /// `scheme://user:password@host`. Secrets are found as well in a URL that is the value of a parameter.
    void append_url(std::string& out, std::string_view url) const;

private:
    std::vector<std::string> names_;
};

} // namespace sallyport::site

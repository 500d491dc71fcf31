#include "sallyport/site/redaction.hpp"

#include <string>
#include <vector>

#include "support/catch.hpp"

using namespace sallyport::site;

namespace {

std::string shown(std::string_view url, const std::vector<std::string>& more = {})
{
    std::string out;
    Redaction{more}.append_url(out, url);
    return out;
}

} // namespace

TEST_CASE("Secret names are known however they are written", "[site][redaction]")
{
    const auto* name = GENERATE(
        "token", "access_token", "accessToken", "ACCESS-TOKEN", "id_token", "refresh_token", "csrf_token", "key",
        "api_key", "apikey", "API-Key", "x-api-key", "password", "passwd", "pwd", "pass", "passphrase",
        "user[password]", "user%5Bpassword%5D", "%70assword", "p%61ss", "secret", "client_secret", "clientSecret",
        "sig", "signature", "X-Amz-Signature", "X-Amz-Security-Token", "X-Amz-Credential", "X-Goog-Signature", "code",
        "code_verifier", "state", "auth", "Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie", "session",
        "session_id", "jsessionid", "PHPSESSID", "sid", "otp", "jwt", "SAMLResponse", "SAMLRequest", "client_assertion",
        "x-csrf-token", "Ocp-Apim-Subscription-Key", "x-functions-key", "AWSSecretKey", "private.key", "hmac");
    CAPTURE(name);
    CHECK(Redaction{}.is_secret(name));
}

TEST_CASE("Names that only look like it are shown", "[site][redaction]")
{
    const auto* name = GENERATE("", "q", "page", "sort_key", "monkey", "country_code", "zipcode", "page_state",
                                "author", "tokens_used", "keyword", "keys", "passenger", "id", "signal", "secretary",
                                "user-agent", "accept", "%", "%zz", "_");
    CAPTURE(name);
    CHECK_FALSE(Redaction{}.is_secret(name));
}

TEST_CASE("A name longer than anybody's is taken for secret", "[site][redaction]")
{
    CHECK_FALSE(Redaction{}.is_secret(std::string(128, 'x')));
    CHECK(Redaction{}.is_secret(std::string(129, 'x')));
}

TEST_CASE("A configuration adds names, whole and in any spelling", "[site][redaction]")
{
    const std::vector<std::string> more{"Patient-ID", "_", ""};
    CHECK(Redaction{more}.is_secret("patient_id"));
    CHECK(Redaction{more}.is_secret("patientId"));
    CHECK_FALSE(Redaction{more}.is_secret("inpatient_id"));
    CHECK_FALSE(Redaction{more}.is_secret(""));
    CHECK_FALSE(Redaction{more}.is_secret("-"));
    CHECK(Redaction{more}.is_secret("token"));
    CHECK(shown("/a?patient_id=7&b=8", more) == "/a?patient_id=REDACTED&b=8");
}

TEST_CASE("Of an address everything is shown but secrets", "[site][redaction]")
{
    const auto [url, expected] = GENERATE(table<std::string, std::string>({
        {"", ""},
        {"/", "/"},
        {"*", "*"},
        {"/token/secret", "/token/secret"},
        {"/a?b=c&d", "/a?b=c&d"},
        {"/a?token=abc", "/a?token=REDACTED"},
        {"/a?x=1&token=abc&y=2", "/a?x=1&token=REDACTED&y=2"},
        {"/a?token=abc&token=def", "/a?token=REDACTED&token=REDACTED"},
        {"/a?x=1;token=abc;y=2", "/a?x=1;token=REDACTED;y=2"},
        {"/a?TOKEN=abc", "/a?TOKEN=REDACTED"},
        {"/a?%74oken=abc", "/a?%74oken=REDACTED"},
        {"/a?token=a=b=c", "/a?token=REDACTED"},
        {"/a?token=a%26b%3Dc&x=1", "/a?token=REDACTED&x=1"},
        {"/a?token=", "/a?token="},
        {"/a?token", "/a?token"},
        {"/a?=abc", "/a?=abc"},
        {"/a??token=abc", "/a??token=REDACTED"},
        {"/a?b?token=abc", "/a?b?token=REDACTED"},
        {"?token=abc", "?token=REDACTED"},
        {"/a;jsessionid=ABC?x=1", "/a;jsessionid=REDACTED?x=1"},
        {"/cb#access_token=abc&expires_in=5", "/cb#access_token=REDACTED&expires_in=5"},
        {"/s3?X-Amz-Credential=AK%2F1&X-Amz-Date=1&X-Amz-Signature=ab",
         "/s3?X-Amz-Credential=REDACTED&X-Amz-Date=1&X-Amz-Signature=REDACTED"},
        // a URL as a value
        {"/go?next=https://x/?token=abc&y=1", "/go?next=https://x/?token=REDACTED&y=1"},
        {"/go?next=%2Fcb%3Fa%3D1%26code%3Dabc%26b%3D2&y=1", "/go?next=%2Fcb%3Fa%3D1%26code%3DREDACTED&y=1"},
        {"/go?next=%2Fcb%3Fa%3D1%26b%3D2", "/go?next=%2Fcb%3Fa%3D1%26b%3D2"},
        {"/go?x=token=abc", "/go?x=token=REDACTED"},
        {"/a?data=Zm9v==", "/a?data=Zm9v=="},
        // users and passwords
        {"https://user:pw@host/a?b=c", "https://host/a?b=c"},
        {"https://user@host", "https://host"},
        {"https://a:b@c:d@host/", "https://host/"},
        {"//user:pw@host/a", "//host/a"},
        {"user:pw@host:443", "host:443"},
        {"https://host/a@b?c=d@e", "https://host/a@b?c=d@e"},
        {"/a@b", "/a@b"},
        {"https://user:p%2Fw@host/?key=1", "https://host/?key=REDACTED"},
        {"android-app://com.example/", "android-app://com.example/"},
        // bytes of all kinds pass: the log makes them safe
        {"/a\r\n\x01\xFF?token=\xFF\r\n", "/a\r\n\x01\xFF?token=REDACTED"},
        {"/a?%", "/a?%"},
        {"/a?%4", "/a?%4"},
        {"/a?%zz=1", "/a?%zz=1"},
    }));
    CAPTURE(url);
    CHECK(shown(url) == expected);
}

TEST_CASE("A long address is cut, but never within what must not be seen", "[site][redaction]")
{
    const std::string path(kUrlMax - 1, 'a');
    CHECK(shown("/" + path) == "/" + path);
    CHECK(shown("/" + path + "bc") == "/" + path + "...");
    const std::string user(3 * kUrlMax, 'u');
    CHECK(shown("https://" + user + ":pw@host/a") == "https://host/a");
    CHECK(shown("/a?token=" + std::string(3 * kUrlMax, 's')) == "/a?token=REDACTED...");
}

TEST_CASE("An address is appended after what is there", "[site][redaction]")
{
    std::string out = "GET ";
    Redaction{}.append_url(out, "/?key=1");
    CHECK(out == "GET /?key=REDACTED");
}

#include "keyholder/signed_text.hpp"

#include "support/catch.hpp"

#include "texts.hpp"

using namespace sallyport;
using namespace sallyport::keyholder;

namespace {

struct Row {
    const char* why;
    ipc::Bytes text;
    std::optional<TextForm> form;
};

ipc::Bytes changed(ipc::Bytes text, std::size_t at, unsigned value)
{
    text.at(at) = static_cast<std::byte>(value);
    return text;
}

ipc::Bytes resized(ipc::Bytes text, std::ptrdiff_t by)
{
    text.resize(text.size() + static_cast<std::size_t>(by));
    return text;
}

constexpr auto k13 = TextForm::tls13_certificate_verify;
constexpr auto k12 = TextForm::tls12_server_key_exchange;

std::vector<Row> rows()
{
    using namespace texts;
    return {
        {"SHA-256 transcript", tls13(32), k13},
        {"SHA-384 transcript", tls13(48), k13},
        {"x25519", tls12(29, 32), k12},
        {"P-256", tls12(23, 65), k12},
        {"P-384", tls12(24, 97), k12},

        {"nothing", {}, std::nullopt},
        {"a digest", bytes(std::string(32, 'x')), std::nullopt},
        {"words", bytes("hello"), std::nullopt},
        {"spaces alone", bytes(std::string(64, ' ')), std::nullopt},
        {"the client's context", tls13(32, "TLS 1.3, client CertificateVerify"), std::nullopt},
        {"a context cut short", tls13(32, "TLS 1.3, server CertificateVerif"), std::nullopt},
        {"a context with more", tls13(32, "TLS 1.3, server CertificateVerify!"), std::nullopt},
        {"another delegate", tls13(32, "TLS, server delegated credentials"), std::nullopt},
        {"no separator", changed(tls13(32), 64 + 33, 1), std::nullopt},
        {"63 spaces", changed(tls13(32), 63, 'x'), std::nullopt},
        {"no transcript", tls13(0), std::nullopt},
        {"a SHA-1 transcript", tls13(20), std::nullopt},
        {"31 bytes", tls13(31), std::nullopt},
        {"33 bytes", tls13(33), std::nullopt},
        {"47 bytes", tls13(47), std::nullopt},
        {"49 bytes", tls13(49), std::nullopt},
        {"a SHA-512 transcript", tls13(64), std::nullopt},

        {"randoms alone", bytes(std::string(64, 'r')), std::nullopt},
        {"randoms and a type", bytes(std::string(67, '\3')), std::nullopt},
        {"explicit prime curve", changed(tls12(23, 65), 64, 1), std::nullopt},
        {"explicit binary curve", changed(tls12(23, 65), 64, 2), std::nullopt},
        {"finite field, not a curve", changed(tls12(23, 65), 64, 0), std::nullopt},
        {"P-521", tls12(25, 133), std::nullopt},
        {"x448", tls12(30, 56), std::nullopt},
        {"secp256k1", tls12(22, 65), std::nullopt},
        {"group 0", tls12(0, 32), std::nullopt},
        {"the hybrid group", tls12(0x11ec, 32), std::nullopt},
        {"a group in the wrong byte", tls12(29 << 8, 32), std::nullopt},
        {"x25519 with a P-256 point", tls12(29, 65), std::nullopt},
        {"P-256 with an x25519 point", tls12(23, 32), std::nullopt},
        {"P-256, compressed", tls12(23, 33), std::nullopt},
        {"P-256, hybrid form", changed(tls12(23, 65), 68, 6), std::nullopt},
        {"P-384, compressed mark", changed(tls12(24, 97), 68, 2), std::nullopt},
        {"the length says less", changed(tls12(29, 32), 67, 31), std::nullopt},
        {"the length says more", changed(tls12(29, 32), 67, 33), std::nullopt},
        {"one byte missing", resized(tls12(29, 32), -1), std::nullopt},
        {"one byte more", resized(tls12(29, 32), 1), std::nullopt},
        {"the point missing", resized(tls12(29, 32), -32), std::nullopt},
        {"randoms of spaces", tls12(23, 65, ' '), std::nullopt},
    };
}

} // namespace

TEST_CASE("Only what a TLS server signs has a form", "[keyholder][text]")
{
    for (const Row& row : rows()) {
        CAPTURE(row.why);
        const auto form = form_of(row.text);
        CHECK(form.has_value() == row.form.has_value());
        if (form && row.form) CHECK(*form == *row.form);
        if (!form) CHECK_FALSE(form.error().empty());
        if (form) CHECK(row.text.size() <= kSignedTextMax);
    }
}

TEST_CASE("The longest lawful text has exactly the size that the rules allow", "[keyholder][text]")
{
    CHECK(texts::tls12(24, 97).size() == kSignedTextMax);
}

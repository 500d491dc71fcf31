#include "keyholder/key_store.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "keyholder/self_signed.hpp"
#include "sallyport/sys/secret_memory_file.hpp"
#include "support/catch.hpp"

#include "pki.hpp"

using namespace sallyport;
using namespace sallyport::keyholder;

namespace {

Source files(const std::string& certificate, const std::string& key, const std::string& passphrase = {})
{
    Source source;
    source.description.label = certificate;
    source.description.certificate.name = certificate;
    source.description.key.name = key;
    source.description.passphrase.name = passphrase;
    return source;
}

Source memory(const std::string& certificate, const std::string& key, const std::string& passphrase = {})
{
    Source source;
    source.description.label = "env:TLS_CERT";
    source.description.certificate = {"env:TLS_CERT", true};
    source.description.key = {"env:TLS_KEY", true};
    source.certificate = sys::sealed_copy(std::as_bytes(std::span{certificate})).value();
    source.key = sys::sealed_copy(std::as_bytes(std::span{key})).value();
    if (passphrase.empty()) return source;
    source.description.passphrase = {"env:TLS_PASS", true};
    source.passphrase = sys::sealed_copy(std::as_bytes(std::span{passphrase})).value();
    return source;
}

Source self_signed(std::vector<std::string> names)
{
    Source source;
    source.description.label = "self-signed";
    source.description.self_signed_names = std::move(names);
    return source;
}

std::expected<KeySet, std::vector<Problem>> load(const Source& source, std::int64_t now = pki::now())
{
    return load_all(std::span{&source, 1}, nullptr, now);
}

std::string only_problem(const Source& source)
{
    const auto loaded = load(source);
    REQUIRE_FALSE(loaded.has_value());
    REQUIRE(loaded.error().size() == 1);
    return loaded.error().front().text;
}

} // namespace

TEST_CASE("A pair is loaded from wherever an operator may have it", "[keyholder][store]")
{
    const pki::Directory directory;
    const pki::Pair pair{"EC P-256"};
    const std::string cert = pki::pem(pair.certificate);
    const std::string key = pki::pem(pair.key);
    const std::string secret = pki::pem(pair.key, pki::Form::encrypted_pkcs8, "open sesame");
    const std::string cert_file = directory.write("tls.crt", cert);
    const std::string key_file = directory.write("tls.key", key);

    SECTION("two files")
    {
        CHECK(load(files(cert_file, key_file)).has_value());
    }
    SECTION("one file, the key first")
    {
        CHECK(load(files(directory.write("b.pem", key + cert), "")).has_value());
    }
    SECTION("one file, named twice")
    {
        const std::string both = directory.write("b.pem", cert + key);
        CHECK(load(files(both, both)).has_value());
    }
    SECTION("parameters before the key, as openssl ecparam writes them")
    {
        const std::string with = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n" +
                                 pki::pem(pair.key, pki::Form::traditional);
        CHECK(load(files(cert_file, directory.write("p.key", with))).has_value());
    }
    SECTION("a passphrase file with a newline at its end")
    {
        const std::string end = GENERATE("", "\n", "\r\n");
        const std::string phrase = directory.write("phrase", "open sesame" + end);
        CHECK(load(files(cert_file, directory.write("e.key", secret), phrase)).has_value());
    }
    SECTION("memory files, the key encrypted")
    {
        CHECK(load(memory(cert, secret, "open sesame\n")).has_value());
        CHECK_THAT(only_problem(memory(cert, secret)), Catch::Contains("no passphrase is named"));
    }
    SECTION("memory files")
    {
        CHECK(load(memory(cert, key)).has_value());
    }
}

TEST_CASE("A newline inside a passphrase belongs to it", "[keyholder][store]")
{
    const pki::Directory directory;
    const pki::Pair pair{"EC P-256"};
    const std::string secret = pki::pem(pair.key, pki::Form::encrypted_pkcs8, "two\nlines\n");
    CHECK(load(files(directory.write("c", pki::pem(pair.certificate)), directory.write("k", secret),
                     directory.write("p", "two\nlines\n\n")))
              .has_value());
}

TEST_CASE("The problem with a source names the file and the remedy", "[keyholder][store]")
{
    const pki::Directory directory;
    const pki::Pair pair{"EC P-256"};
    const std::string key = pki::pem(pair.key);
    const std::string cert_file = directory.write("tls.crt", pki::pem(pair.certificate));
    const std::string key_file = directory.write("tls.key", key);
    const std::string secret_file =
        directory.write("e.key", pki::pem(pair.key, pki::Form::encrypted_traditional, "right"));

    CHECK_THAT(only_problem(files(cert_file, directory.write("x", "no PEM"))),
               Catch::EndsWith("/x holds no private key in PEM form"));
    CHECK_THAT(only_problem(files(cert_file, "")), Catch::EndsWith("tls.crt holds no private key in PEM form"));
    CHECK_THAT(only_problem(files(key_file, key_file)), Catch::EndsWith("it holds no certificate in PEM form"));
    CHECK_THAT(only_problem(files(cert_file, directory.write("y", key + key))),
               Catch::Contains("holds 2 private keys"));
    CHECK_THAT(only_problem(files(cert_file, directory.write("z", key.substr(0, 100)))),
               Catch::Contains("no END line"));
    CHECK_THAT(only_problem(files(cert_file, secret_file)), Catch::Contains("no passphrase is named"));
    CHECK_THAT(only_problem(files(cert_file, secret_file, directory.write("p", "wrong\n"))),
               Catch::Contains("e.key: the passphrase does not open the key"));
    CHECK_THAT(only_problem(files(cert_file, secret_file, directory.file("absent"))),
               Catch::Contains("cannot read") && Catch::Contains("absent"));
    CHECK_THAT(only_problem(files(cert_file, directory.write("w", pki::pem(pki::make_key("EC P-256"))))),
               Catch::StartsWith(cert_file + ": the key does not belong to the certificate"));
    CHECK_THAT(only_problem(memory("no PEM", key)), Catch::StartsWith("env:TLS_CERT: it holds no certificate"));
    CHECK_THAT(only_problem(memory(pki::pem(pair.certificate), "no PEM")),
               Catch::StartsWith("env:TLS_KEY holds no private key"));
}

TEST_CASE("All problems of all sources are told together", "[keyholder][store]")
{
    const pki::Directory directory;
    const pki::Pair good{"EC P-256"};
    const pki::Pair expired{"EC P-256", {.days = -1}};
    std::vector<Source> sources;
    sources.push_back(files(directory.file("a.crt"), directory.file("a.key")));
    sources.push_back(
        files(directory.write("b.crt", pki::pem(good.certificate)), directory.write("b.key", pki::pem(good.key))));
    sources.push_back(files(directory.write("c.crt", pki::pem(expired.certificate)),
                            directory.write("c.key", pki::pem(expired.key))));
    sources.push_back(self_signed({"not a name"}));
    const auto loaded = load_all(sources, nullptr, pki::now());
    REQUIRE_FALSE(loaded.has_value());
    REQUIRE(loaded.error().size() == 4);

    const ipc::Failed failed = to_failed(loaded.error());
    CHECK(failed.exit_code == 78);
    CHECK_THAT(failed.text, Catch::Contains("a.crt") && Catch::Contains("a.key") && Catch::Contains("c.crt: the cert"));
    CHECK_THAT(failed.text, !Catch::Contains("b.crt"));
    CHECK(std::ranges::count(failed.text, '\n') == 3);
}

TEST_CASE("The exit code is 77 where permissions are all that is missing", "[keyholder][store]")
{
    const Problem permission{ExitCode::permission, "p"};
    const Problem configuration{ExitCode::configuration, "c"};
    const Problem system{ExitCode::os_error, "s"};
    CHECK(to_failed({permission, permission}).exit_code == 77);
    CHECK(to_failed({permission, configuration}).exit_code == 78);
    CHECK(to_failed({permission, system}).exit_code == 71);
    CHECK(to_failed({permission, configuration}).text == "p\nc");
    CHECK(ipc::encode(to_failed({{ExitCode::configuration, std::string(1'000'000, 'x')}})).size() < ipc::kMessageMax);
}

TEST_CASE("No certificate at all, and too many, are problems", "[keyholder][store]")
{
    CHECK_FALSE(load_all({}, nullptr, pki::now()).has_value());
    std::vector<Source> sources;
    for (std::size_t i = 0; i <= kSourcesMax; ++i)
        sources.push_back(files("/nonexistent", ""));
    const auto loaded = load_all(sources, nullptr, pki::now());
    REQUIRE_FALSE(loaded.has_value());
    CHECK_THAT(loaded.error().back().text, Catch::Contains("more than 256"));
}

TEST_CASE("A pair that is not valid yet is taken only if the one before is not valid either", "[keyholder][store]")
{
    const std::int64_t now = pki::now();
    const pki::Directory directory;
    const auto load_pair = [&](const pki::Wish& wish) {
        const pki::Pair pair{"EC P-256", wish};
        return load(files(directory.write("c", pki::pem(pair.certificate)), directory.write("k", pki::pem(pair.key))));
    };
    const std::array source{files(directory.file("c"), directory.file("k"))};
    const KeySet early = load_pair({.days = 30, .starts_in_days = 14}).value();
    const KeySet earlier = load_pair({.days = 30, .starts_in_days = 5}).value();
    const KeySet good = load_pair({.days = 10}).value();

    KeySet keys = early;
    const auto refused = keep_valid(source, keys, good, now);
    REQUIRE(refused.size() == 1);
    CHECK(refused[0].index == 0);
    CHECK_THAT(refused[0].reason, Catch::Contains(directory.file("c") + ": the certificate is not valid before"));
    CHECK(keys == good);

    keys = earlier;
    CHECK(keep_valid(source, keys, early, now).empty());
    CHECK(keys == earlier);
    keys = early;
    CHECK(keep_valid(source, keys, good, now + 12 * kDay).empty()); // the good one has expired
    CHECK(keys == early);
    keys = earlier;
    CHECK(keep_valid(source, keys, good, now + 6 * kDay).empty()); // its time has come
    CHECK(keys == earlier);
}

TEST_CASE("A self-signed pair stays through a reload until it is due", "[keyholder][store][self-signed]")
{
    const std::int64_t now = pki::now();
    std::vector<Source> sources;
    sources.push_back(self_signed({"localhost"}));
    const KeySet first = load_all(sources, nullptr, now).value();
    const std::int64_t due = renewal_due(sources, first);
    CHECK(due == now + 60 * kDay);
    CHECK(load_all(sources, &first, due - 1).value()[0] == first[0]);
    CHECK(load_all(sources, &first, due).value()[0] != first[0]);
}

TEST_CASE("Renewing touches the self-signed pairs that are due, and no file", "[keyholder][store][self-signed]")
{
    const pki::Directory directory;
    const pki::Pair pair{"Ed25519", {.days = 365}};
    const std::int64_t now = pki::now();
    std::vector<Source> sources;
    sources.push_back(
        files(directory.write("c", pki::pem(pair.certificate)), directory.write("k", pki::pem(pair.key))));
    sources.push_back(self_signed({"localhost"}));
    const KeySet first = load_all(sources, nullptr, now).value();
    std::filesystem::remove(directory.file("k"));

    CHECK(renew(sources, first, now).value() == first);
    const std::int64_t due = renewal_due(sources, first);
    const KeySet renewed = renew(sources, first, due).value();
    CHECK(renewed[0] == first[0]);
    CHECK(renewed[1] != first[1]);
    CHECK(renewed[1]->facts.not_after == due + kSelfSignedLife);
    CHECK(renewal_due(std::span{sources}.first(1), {first[0]}) == std::numeric_limits<std::int64_t>::max());
}

TEST_CASE("The report of a load says what the audit log needs", "[keyholder][store]")
{
    const pki::Directory directory;
    const pki::Pair pair{"RSA 2048", {.alternative_names = "DNS:a.example,IP:10.0.0.1"}};
    std::vector<Source> sources;
    sources.push_back(
        files(directory.write("c", pki::pem(pair.certificate)), directory.write("k", pki::pem(pair.key))));
    const KeySet keys = load_all(sources, nullptr, pki::now()).value();
    const ipc::Loaded loaded = to_loaded(sources, keys, true);
    CHECK(loaded.memory_locked);
    REQUIRE(loaded.pairs.size() == 1);
    CHECK(loaded.pairs[0].label == directory.file("c"));
    CHECK(loaded.pairs[0].key_type == "RSA 2048");
    CHECK(loaded.pairs[0].spki_sha256 == keys[0]->facts.spki_sha256);
    CHECK(loaded.pairs[0].names == std::vector<std::string>{"a.example", "10.0.0.1"});
    CHECK(loaded.pairs[0].not_after == keys[0]->facts.not_after);
}

TEST_CASE("A report always fits a message", "[keyholder][store]")
{
    KeyPair large;
    large.facts.names.assign(200, std::string(253, 'n'));
    large.facts.spki_sha256 = std::string(64, 'a');
    const auto shared = std::make_shared<const KeyPair>(std::move(large));
    const KeySet keys(kSourcesMax, shared);
    std::vector<Source> sources(kSourcesMax);
    for (Source& source : sources)
        source.description.label = std::string(4000, 'l');
    const ipc::Loaded loaded = to_loaded(sources, keys, false);
    CHECK(loaded.pairs.size() == kSourcesMax);
    CHECK(ipc::encode(loaded).size() <= ipc::kMessageMax);
    CHECK(to_loaded(std::span{sources}.first(1), {shared}, false).pairs[0].names.size() == 16);
}

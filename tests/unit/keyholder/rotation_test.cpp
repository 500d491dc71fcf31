#include "keyholder/rotation.hpp"

#include <filesystem>

#include <poll.h>

#include "keyholder/key_store.hpp"
#include "support/catch.hpp"

#include "pki.hpp"

using namespace sallyport;
using namespace sallyport::keyholder;
using namespace std::chrono_literals;

namespace {

/// Files of one or more sources, the pairs that are in force, and a clock that the test moves.
struct Rig {
    explicit Rig(const std::vector<std::string>& names = {"a"}, std::chrono::milliseconds check_every = 30s)
    {
        for (const std::string& name : names) {
            write(name);
            Source& source = sources.emplace_back();
            source.description.label = name;
            source.description.certificate = {directory.file(name + ".crt"), false};
            source.description.key = {directory.file(name + ".key"), false};
        }
        in_force = load_all(sources, nullptr, pki::now()).value();
        rotation.emplace(sources, check_every);
        CHECK(look().fresh.empty());
        pass(kSettling);
        CHECK(look().refused.empty());
    }

    /// A new pair in the source's files, or half of one.
    void write(const std::string& name, bool certificate = true, bool key = true)
    {
        const pki::Pair pair{"EC P-256"};
        if (certificate) directory.write(name + ".crt", pki::pem(pair.certificate));
        if (key) directory.write(name + ".key", pki::pem(pair.key));
    }
    void write_halves(const std::string& name, const pki::Pair& pair, bool certificate)
    {
        directory.write(name + (certificate ? ".crt" : ".key"),
                        certificate ? pki::pem(pair.certificate) : pki::pem(pair.key));
    }

    void pass(std::chrono::milliseconds time) { at += time; }

    /// Takes what is fresh into force.
    Findings look()
    {
        Findings findings = rotation->look(in_force, pki::now(), at);
        for (const auto& [index, pair] : findings.fresh)
            in_force[index] = pair;
        return findings;
    }

    [[nodiscard]] bool is_told()
    {
        pollfd watched{.fd = rotation->fd(), .events = POLLIN, .revents = 0};
        const bool told = poll(&watched, 1, 2000) == 1;
        if (told) rotation->heed();
        return told;
    }

    pki::Directory directory;
    std::vector<Source> sources;
    KeySet in_force;
    SteadyTime at{1h};
    std::optional<Rotation> rotation;
};

} // namespace

TEST_CASE("A new pair is told of by the kernel, and found by the next look", "[keyholder][rotation]")
{
    Rig rig;
    CHECK(rig.rotation->due() > rig.at + 20s);
    rig.write("a");
    REQUIRE(rig.is_told());
    CHECK(rig.rotation->due() <= rig.at + kBetweenLooks);
    const auto before = rig.in_force[0];
    const auto findings = rig.look();
    REQUIRE(findings.fresh.size() == 1);
    CHECK(findings.fresh[0].second->facts.spki_sha256 != before->facts.spki_sha256);
    CHECK(rig.look().fresh.empty());
}

TEST_CASE("Without a word of the kernel a change is found by the periodic check", "[keyholder][rotation]")
{
    Rig rig{{"a"}, 5s};
    rig.write("a");
    CHECK(rig.rotation->due() <= rig.at + 5s);
    rig.pass(5s);
    CHECK(rig.look().fresh.size() == 1);
}

TEST_CASE("A pair that is half written is waited for, and told of once if it stays so", "[keyholder][rotation]")
{
    Rig rig;
    const pki::Pair next{"EC P-256"};
    rig.write_halves("a", next, true);
    CHECK(rig.look().fresh.empty());
    CHECK(rig.rotation->due() <= rig.at + kSettlingLook);
    SECTION("the other half comes")
    {
        rig.pass(kSettlingLook);
        rig.write_halves("a", next, false);
        CHECK(rig.look().fresh.size() == 1);
        rig.pass(kSettling);
        CHECK(rig.look().refused.empty());
    }
    SECTION("it does not")
    {
        rig.pass(kSettling - 1ms);
        CHECK(rig.look().refused.empty());
        rig.pass(1ms);
        const auto findings = rig.look();
        REQUIRE(findings.refused.size() == 1);
        CHECK_THAT(findings.refused[0].second, Catch::Contains("the key does not belong to the certificate"));
        for (int i = 0; i < 3; ++i) {
            rig.pass(30s);
            CHECK(rig.look().refused.empty());
        }
        rig.write_halves("a", next, false);
        CHECK(rig.look().fresh.size() == 1);
    }
}

TEST_CASE("Each state of wrong files is told once", "[keyholder][rotation]")
{
    Rig rig;
    const std::string certificate = rig.directory.file("a.crt");
    const auto told = [&] {
        static_cast<void>(rig.look());
        rig.pass(kSettling);
        const auto findings = rig.look();
        CHECK(findings.fresh.empty());
        return findings.refused.empty() ? std::string{} : findings.refused[0].second;
    };
    rig.directory.write("a.crt", "no PEM");
    CHECK_THAT(told(), Catch::Contains(certificate));
    CHECK(told().empty());
    std::filesystem::remove(certificate);
    CHECK_THAT(told(), Catch::Contains("cannot read " + certificate + ": No such file"));
    CHECK(told().empty());
    rig.directory.write("a.crt", "");
    CHECK_THAT(told(), Catch::Contains("is empty"));
    rig.directory.write("a.crt", "no PEM");
    CHECK_THAT(told(), Catch::Contains(certificate));
}

TEST_CASE("A pair that has expired, or is not valid yet, does not replace a good one", "[keyholder][rotation]")
{
    Rig rig;
    const pki::KeyHandle key = pki::make_key("EC P-256");
    pki::Wish wish;
    const char* expected = "expired on";
    SECTION("expired")
    {
        wish.days = -1;
    }
    SECTION("not valid yet")
    {
        expected = "is not valid before";
    }
    auto certificate = pki::make_certificate(key, wish);
    if (wish.days > 0) {
        X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 3600);
        REQUIRE(X509_sign(certificate.get(), key.get(), EVP_sha256()) > 0);
    }
    rig.directory.write("a.crt", pki::pem(certificate));
    rig.directory.write("a.key", pki::pem(key));
    CHECK(rig.look().fresh.empty());
    rig.pass(kSettling);
    const auto findings = rig.look();
    REQUIRE(findings.refused.size() == 1);
    CHECK_THAT(findings.refused[0].second, Catch::Contains(expected));
    if (wish.days > 0) {
        // Its time has come.
        rig.pass(30s);
        CHECK(rig.rotation->look(rig.in_force, pki::now() + 3601, rig.at).fresh.size() == 1);
    }
}

TEST_CASE("One source's fault keeps no other from rotating", "[keyholder][rotation]")
{
    Rig rig{{"a", "b"}};
    rig.directory.write("a.crt", "no PEM");
    rig.write("b");
    const auto findings = rig.look();
    REQUIRE(findings.fresh.size() == 1);
    CHECK(findings.fresh[0].first == 1);
    CHECK(findings.unchanged.empty());
    rig.pass(kSettling);
    CHECK(rig.look().refused.size() == 1);
}

TEST_CASE("A text that comes back is the pair in force, and nothing new", "[keyholder][rotation]")
{
    Rig rig;
    std::filesystem::copy(rig.directory.file("a.crt"), rig.directory.file("kept"));
    rig.directory.write("a.crt", "no PEM");
    static_cast<void>(rig.look());
    rig.pass(kSettling);
    CHECK(rig.look().refused.size() == 1);
    std::filesystem::rename(rig.directory.file("kept"), rig.directory.file("a.crt"));
    const auto back = rig.look();
    CHECK(back.fresh.empty());
    CHECK(back.unchanged == std::vector<std::size_t>{0});
    rig.pass(kSettling);
    CHECK(rig.look().refused.empty());
    // The same fault again is told again.
    rig.directory.write("a.crt", "no PEM");
    static_cast<void>(rig.look());
    rig.pass(kSettling);
    CHECK(rig.look().refused.size() == 1);
}

TEST_CASE("Kubernetes turns a link, and the new place is watched as well", "[keyholder][rotation]")
{
    namespace fs = std::filesystem;
    Rig rig;
    const auto volume = [&](const std::string& name) { return rig.directory.file("volume/" + name); };
    const auto fill = [&](const std::string& name) {
        fs::create_directories(volume(name));
        const pki::Pair pair{"EC P-256"};
        rig.directory.write("volume/" + name + "/tls.crt", pki::pem(pair.certificate));
        rig.directory.write("volume/" + name + "/tls.key", pki::pem(pair.key));
    };
    fill("..1");
    fs::create_directory_symlink("..1", volume("..data"));
    for (const std::string name : {"tls.crt", "tls.key"})
        fs::create_symlink("..data/" + name, volume(name));
    rig.sources[0].description.certificate = {volume("tls.crt"), false};
    rig.sources[0].description.key = {volume("tls.key"), false};
    rig.rotation.emplace(rig.sources, 30s);
    CHECK(rig.look().fresh.size() == 1);
    while (rig.rotation->due() <= rig.at + 5s) {
        rig.pass(kSettling);
        static_cast<void>(rig.look());
    }

    fill("..2");
    fs::create_directory_symlink("..2", volume("..new"));
    fs::rename(volume("..new"), volume("..data"));
    REQUIRE(rig.is_told());
    CHECK(rig.look().fresh.size() == 1);
    rig.pass(kSettling);
    static_cast<void>(rig.look());
    fs::remove_all(volume("..1"));
    static_cast<void>(rig.is_told());
    static_cast<void>(rig.look());

    fill("..2");
    REQUIRE(rig.is_told());
    CHECK(rig.look().fresh.size() == 1);
}

TEST_CASE("What is no file never changes", "[keyholder][rotation]")
{
    std::vector<Source> sources(2);
    sources[0].description.self_signed_names = {"localhost"};
    sources[1].description.certificate = {"env:TLS_CERT", true};
    CHECK(Rotation{sources, 1s}.due() == SteadyTime::max());
}

TEST_CASE("A directory that cannot be watched is told of once, and checked from time to time", "[keyholder][rotation]")
{
    Rig rig;
    rig.sources[0].description.certificate = {rig.directory.file("gone/a.crt"), false};
    Rotation rotation{rig.sources, 30s};
    CHECK_THAT(rotation.take_problem().value(), Catch::Contains("gone"));
    CHECK_FALSE(rotation.take_problem());
}

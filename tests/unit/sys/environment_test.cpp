#include "sallyport/sys/environment.hpp"

#include <array>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <vector>

#include <unistd.h>

#include "sallyport/base/start_error.hpp"
#include "sallyport/sys/pem_text.hpp"
#include "sallyport/sys/secret_memory_file.hpp"
#include "support/catch.hpp"
#include "support/child_process.hpp"

using namespace sallyport;
using namespace sallyport::sys;

namespace {

const std::string kPem = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----\n";
const std::string kPemInBase64 = "LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCk1DNENBUUF3QlFZREsyVndCQ0lFSUE9PQotLS0tLUVO"
                                 "RCBQUklWQVRFIEtFWS0tLS0tCg==";
const std::string kEscapedPem = "-----BEGIN PRIVATE KEY-----\\nMC4CAQAwBQYDK2VwBCIEIA==\\n-----END PRIVATE KEY-----\\n";

std::string own_environment()
{
    std::ifstream file{"/proc/self/environ", std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
}

std::string text_of(const UniqueFd& file)
{
    const auto bytes = read_all(file.get(), 100'000);
    return bytes ? std::string{reinterpret_cast<const char*>(bytes->data()), bytes->size()} : std::string{};
}

bool holds(const std::string& text, std::string_view part)
{
    return text.find(part) != std::string::npos;
}

/// Tells a hidden test that ran to its end from one that was not found.
constexpr int kRanToItsEnd = 42;

/// This executable again, in a child with exactly this environment; runs one hidden test.
int run_hidden_test(const char* tag, std::vector<std::string> environment)
{
    return test::in_child([&] {
        std::vector<char*> variables;
        for (std::string& variable : environment)
            variables.push_back(variable.data());
        variables.push_back(nullptr);
        std::string program{"unit_sys"}, selection{tag}, output{"-o"}, null{"/dev/stderr"};
        std::array<char*, 5> arguments{program.data(), selection.data(), output.data(), null.data(), nullptr};
        ::execve("/proc/self/exe", arguments.data(), variables.data());
    });
}

} // namespace

TEST_CASE("PEM is recognised in every form that people use", "[sys][environment]")
{
    const std::string value =
        GENERATE(as<std::string>{}, kPem, kEscapedPem, kPemInBase64, "  " + kPemInBase64 + "\n",
                 kPemInBase64.substr(0, 64) + "\n" + kPemInBase64.substr(64), kPem.substr(0, kPem.size() - 1));
    CAPTURE(value);
    SecretText into{value.size() + 1};
    REQUIRE(normalise_pem(value, into) == PemValue::pem);
    CHECK(into.view() == kPem);
}

TEST_CASE("Base64 of escaped PEM, and the URL alphabet, are recognised", "[sys][environment]")
{
    // whose '/' and '+' the URL alphabet writes as '_' and '-'
    const std::string standard = "LS0tLS1CRUdJTiBYLS0tLS1cbkE+Pj5+fn4/bz9cbi0tLS0tRU5EIFgtLS0tLQ==";
    std::string url = standard;
    for (char& c : url)
        c = c == '/' ? '_' : c == '+' ? '-' : c;
    REQUIRE(url != standard);
    for (const std::string& value : {standard, url}) {
        SecretText into{value.size() + 1};
        REQUIRE(normalise_pem(value, into) == PemValue::pem);
        CHECK(into.view() == "-----BEGIN X-----\nA>>>~~~?o?\n-----END X-----\n");
    }
}

TEST_CASE("A path or any other word is no PEM", "[sys][environment]")
{
    const std::string value = GENERATE(as<std::string>{}, "", "/run/secrets/tls.key", "/run/secrets/key", "tls", "QUJD",
                                       "====", "-----BEGI", "file:///x");
    CAPTURE(value);
    SecretText into{value.size() + 1};
    CHECK(normalise_pem(value, into) == PemValue::none);
}

TEST_CASE("Base64 that begins as PEM and is broken is damaged, not a path", "[sys][environment]")
{
    const std::string value =
        GENERATE(as<std::string>{}, "LS0tLS1CRUdJTiB!", " LS0tLS1CRUdJTiBQ,UkI", "LS0tLS1CRUdJTi==AAAA");
    CAPTURE(value);
    SecretText into{value.size() + 1};
    CHECK(normalise_pem(value, into) == PemValue::damaged);
}

TEST_CASE("A taken secret is in a sealed file and nowhere in the environment", "[sys][environment]")
{
    CHECK(run_hidden_test("[take-pem]", {"BEFORE=1", "SALLYPORT_TEST_KEY=" + kPem, "BETWEEN=2",
                                         "SALLYPORT_TEST_KEY=" + kEscapedPem, "SALLYPORT_TEST_KEY_TOO=path"}) ==
          kRanToItsEnd);
}

TEST_CASE("inside a child: the secret is taken", "[.][take-pem]")
{
    REQUIRE(holds(own_environment(), "PRIVATE KEY"));
    const auto file = take_pem("SALLYPORT_TEST_KEY");
    REQUIRE(file);
    REQUIRE(text_of(*file) == kPem);
    REQUIRE(sealed(file->get()) == true);
    REQUIRE(std::getenv("SALLYPORT_TEST_KEY") == nullptr);
    const std::string after = own_environment();
    REQUIRE_FALSE(holds(after, "PRIVATE KEY")); // the duplicate is wiped too
    REQUIRE_FALSE(holds(after, "MC4CAQAw"));
    REQUIRE_FALSE(holds(after, "SALLYPORT_TEST_KEY="));
    REQUIRE(holds(after, "BEFORE=1"));
    REQUIRE(holds(after, "BETWEEN=2"));
    REQUIRE(holds(after, "SALLYPORT_TEST_KEY_TOO=path"));
    REQUIRE_FALSE(take_pem("SALLYPORT_TEST_KEY"));
    ::_exit(kRanToItsEnd);
}

TEST_CASE("A path in the variable is left alone", "[sys][environment]")
{
    CHECK(run_hidden_test("[leave-path]", {"SALLYPORT_TEST_KEY=/run/secrets/tls.key"}) == kRanToItsEnd);
}

TEST_CASE("inside a child: the path stays", "[.][leave-path]")
{
    REQUIRE_FALSE(take_pem("SALLYPORT_TEST_KEY"));
    REQUIRE_FALSE(take_pem("SALLYPORT_TEST_UNSET"));
    REQUIRE(std::string{std::getenv("SALLYPORT_TEST_KEY")} == "/run/secrets/tls.key");
    REQUIRE(holds(own_environment(), "SALLYPORT_TEST_KEY=/run/secrets/tls.key"));
    ::_exit(kRanToItsEnd);
}

TEST_CASE("A damaged secret is wiped, and its text is not repeated", "[sys][environment]")
{
    CHECK(run_hidden_test("[damaged-pem]", {"SALLYPORT_TEST_KEY=" + kPemInBase64 + "!"}) == kRanToItsEnd);
}

TEST_CASE("inside a child: the damaged secret is refused", "[.][damaged-pem]")
{
    std::string told;
    try {
        static_cast<void>(take_pem("SALLYPORT_TEST_KEY"));
    } catch (const StartError& error) {
        REQUIRE(error.code() == ExitCode::configuration);
        told = error.what();
    }
    REQUIRE(holds(told, "SALLYPORT_TEST_KEY"));
    REQUIRE_FALSE(holds(told, "LS0tLS1"));
    REQUIRE_FALSE(holds(own_environment(), "LS0tLS1"));
    ::_exit(kRanToItsEnd);
}

TEST_CASE("A variable that is a secret is taken whatever it holds", "[sys][environment]")
{
    CHECK(run_hidden_test("[take-variable]", {"SALLYPORT_TEST_PASS=open sesame", "SALLYPORT_TEST_EMPTY=",
                                              "SALLYPORT_TEST_KEY=" + kPemInBase64}) == kRanToItsEnd);
}

TEST_CASE("inside a child: variables are taken", "[.][take-variable]")
{
    const auto phrase = take_variable("SALLYPORT_TEST_PASS");
    REQUIRE(phrase);
    REQUIRE(text_of(*phrase) == "open sesame");
    REQUIRE_FALSE(holds(own_environment(), "sesame"));
    const auto key = take_variable("SALLYPORT_TEST_KEY");
    REQUIRE(key);
    REQUIRE(text_of(*key) == kPem);
    REQUIRE_FALSE(take_variable("SALLYPORT_TEST_EMPTY"));
    REQUIRE_FALSE(take_variable("SALLYPORT_TEST_UNSET"));
    ::_exit(kRanToItsEnd);
}

// What is left of a key in the memory of a process that has loaded it. The process under test is this executable once
// more, running the hidden test case below: only so the needles themselves are nowhere in its memory.
#include "keyholder/secure_memory.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <sstream>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "keyholder/key_store.hpp"
#include "keyholder/signing.hpp"
#include "keyholder/source_file.hpp"
#include "sallyport/keyholder/keyholder.hpp"
#include "support/catch.hpp"

#include "pki.hpp"
#include "texts.hpp"

using namespace sallyport;
using namespace sallyport::keyholder;

namespace {

constexpr const char* kDirectory = "SALLYPORT_TEST_KEYS";
constexpr int kReadyFd = 10;
constexpr int kStayFd = 11;

/// How each key lies on disk. The names are those of its files.
struct OnDisk {
    const char* name;
    const char* type;
    pki::Form form;
    bool in_one_file;
};
constexpr std::array kOnDisk{
    OnDisk{"plain", "EC P-256", pki::Form::pkcs8, false},
    OnDisk{"sec1", "EC P-384", pki::Form::traditional, true},
    OnDisk{"seed", "Ed25519", pki::Form::pkcs8, false},
    OnDisk{"rsa", "RSA 2048", pki::Form::pkcs8, true},
    OnDisk{"sealed", "RSA 2048", pki::Form::encrypted_pkcs8, false},
    OnDisk{"old-sealed", "RSA 2048", pki::Form::encrypted_traditional, false},
    OnDisk{"ec-sealed", "EC P-256", pki::Form::encrypted_pkcs8, true},
};

/// Drawn, not written here: what is written here is in the memory of the process under test.
std::string draw_passphrase()
{
    std::array<unsigned char, 24> raw{};
    std::array<unsigned char, 40> text{};
    RAND_bytes(raw.data(), raw.size());
    return {reinterpret_cast<const char*>(text.data()),
            static_cast<std::size_t>(EVP_EncodeBlock(text.data(), raw.data(), raw.size()))};
}

bool is_encrypted(const OnDisk& key)
{
    return key.form == pki::Form::encrypted_pkcs8 || key.form == pki::Form::encrypted_traditional;
}

std::vector<Source> sources_in(const std::string& directory)
{
    std::vector<Source> sources;
    for (const OnDisk& key : kOnDisk) {
        Source& source = sources.emplace_back();
        const std::string base = directory + "/" + key.name;
        source.description.label = key.name;
        source.description.certificate.name = base + ".crt";
        if (!key.in_one_file) source.description.key.name = base + ".key";
        if (is_encrypted(key)) source.description.passphrase.name = directory + "/passphrase";
    }
    return sources;
}

void sign_with_all(const KeyRing& ring)
{
    Signer signer{ring};
    for (std::uint32_t index = 0; index < kOnDisk.size(); ++index)
        for (int scheme = 1; scheme <= 10; ++scheme)
            static_cast<void>(signer.sign({1, index, static_cast<ipc::SignatureScheme>(scheme), texts::tls12(29, 32)}));
}

/// Freed at once, on either heap: nothing but wiping removes it.
void forget(const std::string& directory)
{
    const auto canary = read_source(directory + "/canary");
    const auto by_cpp = std::make_unique<std::string>(canary->text());
    OPENSSL_free(OPENSSL_strndup(canary->text().data(), canary->text().size()));
}

/// What must not, and what must be in the memory for one key.
struct Needles {
    std::string name;
    std::vector<std::string> pem;     ///< pieces of its base64 lines
    std::vector<std::string> encoded; ///< numbers as DER writes them, that live in another form
    std::vector<std::string> live;    ///< as OpenSSL computes with them
};

std::string number(const pki::KeyHandle& key, const char* which, bool little_endian)
{
    BIGNUM* value = nullptr;
    pki::require(EVP_PKEY_get_bn_param(key.get(), which, &value) == 1, which);
    std::string bytes(static_cast<std::size_t>(BN_num_bytes(value)), '\0');
    auto* into = reinterpret_cast<unsigned char*>(bytes.data());
    if (little_endian)
        BN_bn2lebinpad(value, into, static_cast<int>(bytes.size()));
    else
        BN_bn2bin(value, into);
    BN_clear_free(value);
    return bytes;
}

std::string seed(const pki::KeyHandle& key)
{
    std::string bytes(32, '\0');
    std::size_t size = bytes.size();
    EVP_PKEY_get_raw_private_key(key.get(), reinterpret_cast<unsigned char*>(bytes.data()), &size);
    return bytes;
}

std::vector<std::string> pieces_of(const std::string& pem)
{
    constexpr std::size_t kPiece = 24;
    std::vector<std::string> pieces;
    std::istringstream lines{pem};
    for (std::string line; std::getline(lines, line);) {
        if (line.find_first_of("-:") != std::string::npos) continue;
        for (std::size_t at = 0; at + kPiece <= line.size(); at += kPiece)
            pieces.push_back(line.substr(at, kPiece));
    }
    return pieces;
}

Needles needles_of(const OnDisk& form, const pki::KeyHandle& key, const std::string& pem)
{
    Needles needles{form.name, pieces_of(pem), {}, {}};
    if (std::string_view{form.type} == "Ed25519") {
        needles.live.push_back(seed(key));
        return needles;
    }
    const bool rsa = std::string_view{form.type}.starts_with("RSA");
    for (const char* which : rsa ? std::vector{"d", "rsa-factor1", "rsa-factor2"} : std::vector{"priv"}) {
        needles.encoded.push_back(number(key, which, false));
        needles.live.push_back(number(key, which, true));
    }
    return needles;
}

/// Makes all keys and their files; returns what to look for.
std::vector<Needles> lay_out(const pki::Directory& directory, const std::string& passphrase = draw_passphrase())
{
    std::vector<Needles> all;
    directory.write("passphrase", passphrase + "\n");
    directory.write("canary", "none");
    for (const OnDisk& form : kOnDisk) {
        const pki::Pair pair{form.type};
        const std::string pem = pki::pem(pair.key, form.form, passphrase);
        const std::string certificate = pki::pem(pair.certificate);
        directory.write(form.name + std::string{".crt"}, form.in_one_file ? certificate + pem : certificate);
        if (!form.in_one_file) directory.write(form.name + std::string{".key"}, pem);
        all.push_back(needles_of(form, pair.key, pem));
    }
    return all;
}

struct Region {
    std::size_t begin{};
    std::size_t end{};
    std::string flags; ///< VmFlags of smaps(5)
};

std::vector<Region> regions_of(pid_t process)
{
    std::vector<Region> regions;
    std::ifstream smaps{"/proc/" + std::to_string(process) + "/smaps"};
    for (std::string line; std::getline(smaps, line);) {
        std::size_t begin{};
        std::size_t end{};
        if (std::sscanf(line.c_str(), "%zx-%zx ", &begin, &end) == 2) regions.push_back({begin, end, {}});
        if (line.starts_with("VmFlags:")) regions.back().flags = line;
    }
    return regions;
}

/// The memory of the process, searched region by region. Shadow memory of sanitizers, which is larger than any
/// process, is left out.
class Memory {
public:
    explicit Memory(pid_t process)
    {
        constexpr std::size_t kRegionMax = std::size_t{256} << 20U;
        const int fd = open(("/proc/" + std::to_string(process) + "/mem").c_str(), O_RDONLY | O_CLOEXEC);
        pki::require(fd >= 0, "/proc/PID/mem");
        for (const Region& region : regions_of(process)) {
            if (region.end - region.begin > kRegionMax) continue;
            std::string content(region.end - region.begin, '\0');
            const ssize_t got = pread(fd, content.data(), content.size(), static_cast<off_t>(region.begin));
            content.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
            contents_.emplace_back(region, std::move(content));
        }
        close(fd);
    }

    /// The regions in which it stands.
    [[nodiscard]] std::vector<Region> find(const std::string& needle) const
    {
        std::vector<Region> found;
        for (const auto& [region, content] : contents_)
            if (memmem(content.data(), content.size(), needle.data(), needle.size()) != nullptr)
                found.push_back(region);
        return found;
    }

private:
    std::vector<std::pair<Region, std::string>> contents_;
};

/// This executable, running the hidden test case; stopped at the end.
class Resident {
public:
    explicit Resident(const std::string& directory)
    {
        std::array<int, 2> ready{};
        std::array<int, 2> stay{};
        pki::require(pipe2(ready.data(), O_CLOEXEC) == 0 && pipe2(stay.data(), O_CLOEXEC) == 0, "pipe2");
        setenv(kDirectory, directory.c_str(), 1);
        pid_ = fork();
        if (pid_ == 0) {
            dup2(ready[1], kReadyFd);
            dup2(stay[0], kStayFd);
            execl("/proc/self/exe", "unit_keyholder", "[.resident]", nullptr);
            _exit(127);
        }
        close(ready[1]);
        close(stay[0]);
        stay_ = stay[1];
        char answer = 0;
        is_ready = read(ready[0], &answer, 1) == 1 && answer == '+';
        close(ready[0]);
    }
    Resident(const Resident&) = delete;
    Resident& operator=(const Resident&) = delete;
    ~Resident()
    {
        close(stay_);
        waitpid(pid_, nullptr, 0);
    }

    [[nodiscard]] pid_t pid() const { return pid_; }
    bool is_ready{false};

private:
    pid_t pid_{-1};
    int stay_{-1};
};

} // namespace

TEST_CASE("Resident: loads every key, signs, and waits", "[.resident]")
{
    wipe_freed_memory();
    static_cast<void>(open_secure_heap(secure_heap_size(kOnDisk.size(), 2)));
    const auto sources = sources_in(std::getenv(kDirectory));
    KeyRing ring;
    for (int i = 0; i < 2; ++i) {
        auto keys = load_all(sources, nullptr, now());
        if (!keys) WARN(to_failed(keys.error()).text);
        REQUIRE(keys.has_value());
        ring.replace(std::make_shared<const KeySet>(*std::move(keys)), 0);
    }
    sign_with_all(ring);
    forget(std::getenv(kDirectory));
    REQUIRE(write(kReadyFd, "+", 1) == 1);
    char end = 0;
    CHECK(read(kStayFd, &end, 1) == 0);
}

TEST_CASE("After loading, no text of a key file is left, and the live key is", "[keyholder][memory]")
{
    const pki::Directory directory;
    const std::string passphrase = draw_passphrase();
    const std::vector<Needles> all = lay_out(directory, passphrase);
    const Resident resident{directory.file("")};
    REQUIRE(resident.is_ready);
    const Memory memory{resident.pid()};

    CHECK(memory.find(passphrase).empty());
    for (const Needles& needles : all) {
        CAPTURE(needles.name);
        CHECK(needles.pem.size() >= 2);
        for (const std::string& piece : needles.pem)
            CHECK(memory.find(piece).empty());
        for (const std::string& encoded : needles.encoded)
            CHECK(memory.find(encoded).empty());
        for (const std::string& live : needles.live)
            CHECK_FALSE(memory.find(live).empty());
    }
}

#ifndef SALLYPORT_SANITIZED // a sanitizer has an allocator of its own, which does not tell what was freed
TEST_CASE("What is freed is zero", "[keyholder][memory]")
{
    const pki::Directory directory;
    static_cast<void>(lay_out(directory));
    const std::string canary = draw_passphrase() + draw_passphrase();
    directory.write("canary", canary);
    const Resident resident{directory.file("")};
    REQUIRE(resident.is_ready);
    // The allocator writes its own links over the beginning of what is free.
    CHECK(Memory{resident.pid()}.find(canary.substr(32)).empty());
}
#endif

TEST_CASE("The scalars of EC keys and the seeds of Ed25519 are only where no dump reaches", "[keyholder][memory]")
{
    const pki::Directory directory;
    const std::vector<Needles> all = lay_out(directory);
    const Resident resident{directory.file("")};
    REQUIRE(resident.is_ready);
    const Memory memory{resident.pid()};
    for (const Needles& needles : all) {
        if (needles.live.size() != 1) continue;
        CAPTURE(needles.name);
        for (const Region& region : memory.find(needles.live.front()))
            CHECK_THAT(region.flags, Catch::Contains(" dd"));
    }
}

TEST_CASE("The secure heap grows with keys and threads, in powers of two", "[keyholder][memory]")
{
    CHECK(secure_heap_size(1, 4) == 64 * 1024);
    CHECK(secure_heap_size(2, 4) == 128 * 1024);
    CHECK(secure_heap_size(256, 256) == 4 * 1024 * 1024);
}

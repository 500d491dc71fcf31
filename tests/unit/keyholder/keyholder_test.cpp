#include "sallyport/keyholder/keyholder.hpp"

#include <atomic>
#include <thread>

#include "keyholder/key_store.hpp"
#include "keyholder/self_signed.hpp"
#include "keyholder/tickets.hpp"
#include "sallyport/ipc/keys.hpp"
#include "sallyport/sys/secret_memory_file.hpp"
#include "support/catch.hpp"

#include "pki.hpp"
#include "texts.hpp"

using namespace sallyport;
using namespace sallyport::keyholder;
using namespace std::chrono_literals;

namespace {

template <typename Message>
Message receive(sys::Channel& channel)
{
    std::vector<std::byte> room(ipc::kMessageMax);
    const auto received = channel.receive(room);
    REQUIRE(received.has_value());
    auto message = ipc::decode<Message>(std::span{room}.first(received->size));
    REQUIRE(message.has_value());
    return *std::move(message);
}

template <typename Answer, typename Request>
Answer ask(sys::Channel& channel, const Request& request)
{
    REQUIRE(channel.send(ipc::encode(request)).has_value());
    return receive<Answer>(channel);
}

/// The worker's ends. A notice may come before any answer, so the supply channel keeps them apart.
struct Worker {
    template <typename Answer, typename Request>
    Answer describe(const Request& request)
    {
        REQUIRE(supply.send(ipc::encode(request)).has_value());
        for (;;) {
            const auto received = supply.receive(room);
            REQUIRE(received.has_value());
            const auto message = std::span{room}.first(received->size);
            if (auto answer = ipc::decode<Answer>(message)) return *std::move(answer);
            notices.push_back(ipc::decode<ipc::Changed>(message).value());
        }
    }
    ipc::Certificate describe_certificate() { return describe<ipc::Certificate>(ipc::DescribeCertificate{0}); }
    ipc::Tickets describe_tickets() { return describe<ipc::Tickets>(ipc::DescribeTickets{}); }

    ipc::Changed next_notice()
    {
        if (notices.empty()) return receive<ipc::Changed>(supply);
        const ipc::Changed first = notices.front();
        notices.erase(notices.begin());
        return first;
    }

    sys::Channel supply;
    sys::Channel sign;
    std::vector<ipc::Changed> notices{};
    std::vector<std::byte> room = std::vector<std::byte>(ipc::kMessageMax);
};

/// A keyholder in a thread, and the test in the gatekeeper's place.
class Rig {
public:
    explicit Rig(ipc::KeyPlace place = ipc::KeyPlace::keyholder) : tickets_{sys::empty_file("tickets").value()}
    {
        auto [near, far] = sys::Channel::pair().value();
        control = std::move(near);
        REQUIRE(control.set_timeout(20s).has_value());
        ipc::Hello hello;
        hello.key_place = place;
        hello.shards = 1;
        thread_ = std::jthread{[this, hello, theirs = std::move(far)]() mutable {
            try {
                serve(std::move(theirs), hello, {}, [this] { return time.load(); });
            } catch (const StartError& error) {
                ended_by = static_cast<int>(error.code());
            }
        }};
    }
    ~Rig() { end(); }

    void end()
    {
        control = {};
        if (thread_.joinable()) thread_.join();
    }

    void add(ipc::CertificateSource source, std::span<const int> descriptors = {})
    {
        REQUIRE(control.send(ipc::encode(source), descriptors).has_value());
    }
    void add_files(const std::string& certificate, const std::string& key)
    {
        add({.label = certificate,
             .certificate = {certificate, false},
             .key = {key, false},
             .passphrase = {},
             .self_signed_names = {}});
    }
    void add_self_signed()
    {
        add({.label = "self-signed",
             .certificate = {},
             .key = {},
             .passphrase = {},
             .self_signed_names = {"localhost"}});
    }
    void add_tickets()
    {
        const std::array descriptors{tickets_.get()};
        REQUIRE(control.send(ipc::encode(ipc::TicketSecret{}), descriptors).has_value());
    }
    [[nodiscard]] Worker add_worker()
    {
        auto [supply, far_supply] = sys::Channel::pair().value();
        auto [sign, far_sign] = sys::Channel::pair().value();
        REQUIRE(supply.set_timeout(20s).has_value());
        REQUIRE(sign.set_timeout(20s).has_value());
        const std::array descriptors{far_supply.fd(), far_sign.fd()};
        REQUIRE(control.send(ipc::encode(ipc::WorkerChannels{}), descriptors).has_value());
        return {std::move(supply), std::move(sign)};
    }

    sys::Channel control;
    std::atomic<std::int64_t> time{pki::now()};
    std::atomic<int> ended_by{0};

private:
    UniqueFd tickets_;
    std::jthread thread_; ///< last: it uses what is above
};

ipc::Sign request_for(const ipc::Certificate& certificate)
{
    return {1, certificate.key, ipc::SignatureScheme::ecdsa_sha256, texts::tls13(32)};
}

bool verifies(const ipc::Certificate& certificate, const ipc::Signature& signature)
{
    const auto leaf = crypto::parse_certificate(certificate.chain.front()).value();
    const crypto::DigestContext context{EVP_MD_CTX_new()};
    EVP_DigestVerifyInit_ex(context.get(), nullptr, "SHA256", nullptr, nullptr, X509_get0_pubkey(leaf.get()), nullptr);
    const ipc::Bytes text = texts::tls13(32);
    return EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(signature.signature.data()),
                            signature.signature.size(), reinterpret_cast<const unsigned char*>(text.data()),
                            text.size()) == 1;
}

void write_pair(const pki::Directory& directory)
{
    const pki::Pair pair{"EC P-256"};
    directory.write("c", pki::pem(pair.certificate));
    directory.write("k", pki::pem(pair.key));
}

} // namespace

TEST_CASE("A keyholder loads, describes, signs, and ends with its gatekeeper", "[keyholder][process]")
{
    const pki::Directory directory;
    write_pair(directory);
    Rig rig;
    rig.add_files(directory.file("c"), directory.file("k"));
    rig.add_tickets();
    const auto loaded = ask<ipc::Loaded>(rig.control, ipc::Load{});
    REQUIRE(loaded.pairs.size() == 1);
    CHECK(loaded.pairs[0].key_type == "EC P-256");

    Worker worker = rig.add_worker();
    const auto certificate = worker.describe_certificate();
    CHECK(certificate.private_key.empty());
    CHECK(worker.describe_tickets().keys.size() == 3);
    CHECK(verifies(certificate, ask<ipc::Signature>(worker.sign, request_for(certificate))));

    rig.end();
    CHECK(rig.ended_by == 0);
    std::array<std::byte, 8> room;
    CHECK(worker.sign.receive(room)->size == 0);
}

TEST_CASE("A pair in memory files is loaded again from them", "[keyholder][process]")
{
    const pki::Pair pair{"EC P-256"};
    const std::string cert = pki::pem(pair.certificate);
    const std::string key = pki::pem(pair.key);
    const auto cert_file = sys::sealed_copy(std::as_bytes(std::span{cert})).value();
    const auto key_file = sys::sealed_copy(std::as_bytes(std::span{key})).value();
    Rig rig;
    const std::array descriptors{cert_file.get(), key_file.get()};
    rig.add({.label = "env:SALLYPORT_CERT",
             .certificate = {"env:SALLYPORT_CERT", true},
             .key = {"env:SALLYPORT_KEY", true},
             .passphrase = {},
             .self_signed_names = {}},
            descriptors);
    rig.add_tickets();
    for (int i = 0; i < 2; ++i)
        CHECK(ask<ipc::Loaded>(rig.control, ipc::Load{}).pairs[0].label == "env:SALLYPORT_CERT");
}

TEST_CASE("A failed load says so, and a later one may succeed", "[keyholder][process]")
{
    const pki::Directory directory;
    Rig rig;
    rig.add_files(directory.file("c"), directory.file("k"));
    rig.add_tickets();
    const auto failed = ask<ipc::Failed>(rig.control, ipc::Load{});
    CHECK(failed.exit_code == 78);
    CHECK_THAT(failed.text, Catch::Contains(directory.file("c")));
    write_pair(directory);
    CHECK(ask<ipc::Loaded>(rig.control, ipc::Load{}).pairs.size() == 1);
}

TEST_CASE("A good reload is noticed by every worker, and old certificates keep their key", "[keyholder][reload]")
{
    const pki::Directory directory;
    write_pair(directory);
    Rig rig;
    rig.add_files(directory.file("c"), directory.file("k"));
    rig.add_tickets();
    static_cast<void>(ask<ipc::Loaded>(rig.control, ipc::Load{}));
    Worker one = rig.add_worker();
    Worker two = rig.add_worker();
    const auto before = one.describe_certificate();
    static_cast<void>(two.describe_certificate());

    write_pair(directory);
    static_cast<void>(ask<ipc::Loaded>(rig.control, ipc::Load{}));
    for (Worker* worker : {&one, &two}) {
        const auto changed = worker->next_notice();
        CHECK(changed.certificates);
        CHECK_FALSE(changed.tickets);
    }
    const auto after = one.describe_certificate();
    CHECK(after.chain != before.chain);
    CHECK(verifies(after, ask<ipc::Signature>(one.sign, request_for(after))));
    // A handshake that began before the reload.
    CHECK(verifies(before, ask<ipc::Signature>(two.sign, request_for(before))));
}

TEST_CASE("A bad reload changes nothing", "[keyholder][reload]")
{
    const pki::Directory directory;
    write_pair(directory);
    Rig rig;
    rig.add_files(directory.file("c"), directory.file("k"));
    rig.add_tickets();
    static_cast<void>(ask<ipc::Loaded>(rig.control, ipc::Load{}));
    Worker worker = rig.add_worker();
    const auto before = worker.describe_certificate();

    directory.write("k", pki::pem(pki::make_key("EC P-256")));
    CHECK_THAT(ask<ipc::Failed>(rig.control, ipc::Load{}).text, Catch::Contains("does not belong"));
    const auto after = worker.describe_certificate();
    CHECK(worker.notices.empty());
    CHECK(after.chain == before.chain);
    CHECK(verifies(before, ask<ipc::Signature>(worker.sign, request_for(before))));
}

TEST_CASE("Workers hear of new ticket keys when an epoch begins", "[keyholder][process][tickets]")
{
    Rig rig;
    rig.add_self_signed();
    rig.add_tickets();
    static_cast<void>(ask<ipc::Loaded>(rig.control, ipc::Load{}));
    Worker worker = rig.add_worker();
    const auto first = worker.describe_tickets();
    rig.time += kTicketEpoch;
    // Any request makes it look at the clock.
    static_cast<void>(worker.describe_tickets());
    const auto changed = worker.next_notice();
    CHECK(changed.tickets);
    CHECK_FALSE(changed.certificates);
    CHECK(worker.describe_tickets().keys[1].name == first.keys[0].name);
}

TEST_CASE("A self-signed certificate is renewed in time, without a word from outside", "[keyholder][self-signed]")
{
    Rig rig;
    rig.add_self_signed();
    rig.add_tickets();
    const auto loaded = ask<ipc::Loaded>(rig.control, ipc::Load{});
    Worker worker = rig.add_worker();
    const auto before = worker.describe_certificate();
    rig.time = loaded.pairs[0].not_after - kSelfSignedRenewal;
    // Any request makes it look at the clock.
    static_cast<void>(worker.describe_certificate());
    CHECK(worker.next_notice().certificates);
    CHECK(worker.next_notice().tickets);
    const auto after = worker.describe_certificate();
    CHECK(after.chain != before.chain);
    CHECK(verifies(after, ask<ipc::Signature>(worker.sign, request_for(after))));
}

TEST_CASE("A restarted keyholder issues the same ticket keys from the same file", "[keyholder][process][tickets]")
{
    const auto file = sys::empty_file("tickets").value();
    const std::array descriptors{file.get()};
    std::vector<ipc::TicketKey> keys[2];
    for (auto& mine : keys) {
        Rig rig;
        rig.add_self_signed();
        REQUIRE(rig.control.send(ipc::encode(ipc::TicketSecret{}), descriptors).has_value());
        static_cast<void>(ask<ipc::Loaded>(rig.control, ipc::Load{}));
        Worker worker = rig.add_worker();
        rig.time = 1'800'000'000;
        mine = worker.describe_tickets().keys;
    }
    CHECK(keys[0][0].name == keys[1][0].name);
    CHECK(keys[0][0].aes == keys[1][0].aes);
    CHECK(keys[0][0].hmac == keys[1][0].hmac);
}

TEST_CASE("With keys in the worker the key is handed over", "[keyholder][process]")
{
    Rig rig{ipc::KeyPlace::in_worker};
    rig.add_self_signed();
    rig.add_tickets();
    static_cast<void>(ask<ipc::Loaded>(rig.control, ipc::Load{}));
    Worker worker = rig.add_worker();
    CHECK_FALSE(worker.describe_certificate().private_key.empty());
}

TEST_CASE("A gatekeeper that breaks the protocol ends the keyholder", "[keyholder][process]")
{
    Rig rig;
    SECTION("a message for the worker")
    {
        REQUIRE(rig.control.send(ipc::encode(ipc::Serve{})).has_value());
    }
    SECTION("no message at all")
    {
        REQUIRE(rig.control.send(std::array{std::byte{0}}).has_value());
    }
    SECTION("a load without a ticket secret")
    {
        REQUIRE(rig.control.send(ipc::encode(ipc::Load{})).has_value());
    }
    SECTION("a worker before its keys")
    {
        static_cast<void>(rig.add_worker());
    }
    SECTION("a source without its descriptors")
    {
        ipc::CertificateSource source;
        source.key = {"env:TLS_KEY", true};
        rig.add(source);
    }
    SECTION("a source with a descriptor of no text")
    {
        const std::array one{STDIN_FILENO};
        rig.add(ipc::CertificateSource{}, one);
    }
    SECTION("a source that comes too late")
    {
        rig.add_self_signed();
        rig.add_tickets();
        static_cast<void>(ask<ipc::Loaded>(rig.control, ipc::Load{}));
        rig.add_self_signed();
    }
    std::array<std::byte, 8> room;
    const auto received = rig.control.receive(room);
    CHECK((!received || received->size == 0));
    rig.end();
    CHECK(rig.ended_by == static_cast<int>(ExitCode::software));
}

// A keyholder in a thread, the test in the gatekeeper's place, and workers that it makes.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "sallyport/base/start_error.hpp"
#include "sallyport/crypto/certificate.hpp"
#include "sallyport/ipc/control.hpp"
#include "sallyport/ipc/keys.hpp"
#include "sallyport/keyholder/keyholder.hpp"
#include "sallyport/sys/secret_memory_file.hpp"
#include "support/catch.hpp"

#include "pki.hpp"
#include "texts.hpp"

namespace sallyport::keyholder::test {

using namespace std::chrono_literals;

/// What the watch over files may say at any time is passed over.
template <typename Message>
Message receive(sys::Channel& channel)
{
    std::vector<std::byte> room(ipc::kMessageMax);
    for (;;) {
        const auto received = channel.receive(room);
        REQUIRE(received.has_value());
        const auto bytes = std::span{room}.first(received->size);
        if (auto message = ipc::decode<Message>(bytes)) return *std::move(message);
        REQUIRE(ipc::decode<ipc::NotRotated>(bytes).has_value());
    }
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

inline ipc::Sign request_for(const ipc::Certificate& certificate)
{
    return {1, certificate.key, ipc::SignatureScheme::ecdsa_sha256, texts::tls13(32)};
}

inline bool verifies(const ipc::Certificate& certificate, const ipc::Signature& signature)
{
    const auto leaf = crypto::parse_certificate(certificate.chain.front()).value();
    const crypto::DigestContext context{EVP_MD_CTX_new()};
    EVP_DigestVerifyInit_ex(context.get(), nullptr, "SHA256", nullptr, nullptr, X509_get0_pubkey(leaf.get()), nullptr);
    const ipc::Bytes text = texts::tls13(32);
    return EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(signature.signature.data()),
                            signature.signature.size(), reinterpret_cast<const unsigned char*>(text.data()),
                            text.size()) == 1;
}

inline void write_pair(const pki::Directory& directory)
{
    const pki::Pair pair{"EC P-256"};
    directory.write("c", pki::pem(pair.certificate));
    directory.write("k", pki::pem(pair.key));
}

} // namespace sallyport::keyholder::test

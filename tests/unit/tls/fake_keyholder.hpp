// A keyholder of one thread that signs with real keys, or misbehaves as a test tells it.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <sys/socket.h>

#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "sallyport/ipc/keys.hpp"
#include "sallyport/sys/channel.hpp"

namespace sallyport::tls::test {

/// The signature that the scheme asks for; the text is hashed here, as the real keyholder does.
inline ipc::Bytes sign_as_asked(EVP_PKEY* key, const ipc::Sign& request)
{
    using enum ipc::SignatureScheme;
    static const std::map<ipc::SignatureScheme, std::pair<const char*, int>> kHow{
        {rsa_pkcs1_sha256, {"SHA256", RSA_PKCS1_PADDING}},
        {rsa_pkcs1_sha384, {"SHA384", RSA_PKCS1_PADDING}},
        {rsa_pkcs1_sha512, {"SHA512", RSA_PKCS1_PADDING}},
        {rsa_pss_sha256, {"SHA256", RSA_PKCS1_PSS_PADDING}},
        {rsa_pss_sha384, {"SHA384", RSA_PKCS1_PSS_PADDING}},
        {rsa_pss_sha512, {"SHA512", RSA_PKCS1_PSS_PADDING}},
        {ecdsa_sha256, {"SHA256", 0}},
        {ecdsa_sha384, {"SHA384", 0}},
        {ecdsa_sha512, {"SHA512", 0}},
        {ed25519, {nullptr, 0}},
    };
    const auto [digest, padding] = kHow.at(request.scheme);
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    EVP_PKEY_CTX* options = nullptr;
    EVP_DigestSignInit_ex(context, &options, digest, nullptr, nullptr, key, nullptr);
    if (padding != 0) EVP_PKEY_CTX_set_rsa_padding(options, padding);
    if (padding == RSA_PKCS1_PSS_PADDING) EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST);
    ipc::Bytes signature(static_cast<std::size_t>(EVP_PKEY_get_size(key)));
    std::size_t size = signature.size();
    const int made = EVP_DigestSign(context, reinterpret_cast<unsigned char*>(signature.data()), &size,
                                    reinterpret_cast<const unsigned char*>(request.text.data()), request.text.size());
    EVP_MD_CTX_free(context);
    signature.resize(made == 1 ? size : 0);
    return signature;
}

/// Owns its end of the channel and the thread that serves it, until destroyed or until the worker's end closes.
class FakeKeyholder {
public:
    /// Called for each request on the keyholder's thread. False ends the channel.
    using Serve = std::function<bool(FakeKeyholder&, const ipc::Sign&)>;

    explicit FakeKeyholder(std::vector<EVP_PKEY*> keys, Serve serve = sign_honestly())
        : FakeKeyholder{sys::Channel::pair().value(), std::move(keys), std::move(serve)}
    {
    }
    FakeKeyholder(const FakeKeyholder&) = delete;
    FakeKeyholder& operator=(const FakeKeyholder&) = delete;
    ~FakeKeyholder()
    {
        ::shutdown(channel_.fd(), SHUT_RDWR);
        thread_.join();
    }

    [[nodiscard]] sys::Channel worker_end() { return std::move(worker_end_); }

    void answer(std::uint32_t sequence, ipc::Bytes signature)
    {
        static_cast<void>(channel_.send(ipc::encode(ipc::Signature{sequence, std::move(signature)})));
    }
    void send(const ipc::Bytes& raw) { static_cast<void>(channel_.send(raw)); }
    [[nodiscard]] ipc::Bytes signature_for(const ipc::Sign& request) const
    {
        return sign_as_asked(keys_.at(request.certificate), request);
    }

    /// The requests so far.
    [[nodiscard]] std::vector<ipc::Sign> requests() const
    {
        const std::scoped_lock lock{mutex_};
        return requests_;
    }

    static Serve sign_honestly()
    {
        return [](FakeKeyholder& keyholder, const ipc::Sign& request) {
            keyholder.answer(request.sequence, keyholder.signature_for(request));
            return true;
        };
    }
    static Serve refuse()
    {
        return [](FakeKeyholder& keyholder, const ipc::Sign& request) {
            keyholder.answer(request.sequence, {});
            return true;
        };
    }
    /// Dies of its first request.
    static Serve die()
    {
        return [](FakeKeyholder&, const ipc::Sign&) { return false; };
    }
    /// Takes requests and never answers.
    static Serve hang()
    {
        return [](FakeKeyholder&, const ipc::Sign&) { return true; };
    }

private:
    FakeKeyholder(std::pair<sys::Channel, sys::Channel> ends, std::vector<EVP_PKEY*> keys, Serve serve)
        : keys_{std::move(keys)},
          serve_{std::move(serve)},
          worker_end_{std::move(ends.first)},
          channel_{std::move(ends.second)},
          thread_{[this] { run(); }}
    {
    }

    void run()
    {
        answer();
        ::shutdown(channel_.fd(), SHUT_RDWR); // as the real one's end does
    }
    void answer()
    {
        std::array<std::byte, 4096> buffer;
        for (;;) {
            const Result<sys::Received> received = channel_.receive(buffer);
            if (!received || received->size == 0) return;
            const std::optional<ipc::Sign> request = ipc::decode<ipc::Sign>(std::span{buffer}.first(received->size));
            if (!request) return;
            note(*request);
            if (!serve_(*this, *request)) return;
        }
    }
    void note(const ipc::Sign& request)
    {
        const std::scoped_lock lock{mutex_};
        requests_.push_back(request);
    }

    std::vector<EVP_PKEY*> keys_;
    Serve serve_;
    mutable std::mutex mutex_;
    std::vector<ipc::Sign> requests_;
    sys::Channel worker_end_;
    sys::Channel channel_;
    std::thread thread_;
};

} // namespace sallyport::tls::test

#include "handshake.hpp"

#include <thread>

#include "support/catch.hpp"

using namespace sallyport;
using namespace sallyport::tls;
using namespace sallyport::tls::test;

TEST_CASE("Every key type signs in the keyholder for TLS 1.2 and 1.3, and the whole text reaches it",
          "[tls][handshake]")
{
    const KeyType type = GENERATE(from_range(kKeyTypes));
    const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
    const std::string groups = GENERATE(as<std::string>{}, "X25519", "P-256:X25519");
    CAPTURE(text_of(type), version, groups);
    Rig rig{{{type, {"a.example"}}}};
    Pair pair{rig.contexts, {.version = version, .sni = "a.example", .groups = groups}};
    // A client that offers X25519 alone has no curve for an ECDSA certificate in TLS 1.2, with a local key as well.
    const bool is_ec = type == KeyType::ec256 || type == KeyType::ec384;
    if (is_ec && version == TLS1_2_VERSION && groups == "X25519") return;
    if (type == KeyType::ec384 && version == TLS1_2_VERSION) return; // likewise: P-384 is not offered

    REQUIRE(handshake_reason(pair) == "succeeded");

    const std::vector<ipc::Sign> requests = rig.keyholder.requests();
    REQUIRE(requests.size() == 1);
    const auto* text = reinterpret_cast<const char*>(requests[0].text.data());
    if (version == TLS1_3_VERSION)
        CHECK(std::string_view(text, 97) == std::string(64, ' ') + "TLS 1.3, server CertificateVerify");
    else
        CHECK(requests[0].text.at(64) == std::byte{3}); // named_curve, after the two randoms
    CHECK(pair.facts().version == (version == TLS1_3_VERSION ? "TLSv1.3" : "TLSv1.2"));
}

TEST_CASE("A key is asked for by the name that the keyholder gave it", "[tls][handshake]")
{
    constexpr std::uint32_t kName = 4711;
    const Credentials credentials = credentials_for({{KeyType::ec256, {"a.example"}}}, kName);
    FakeKeyholder keyholder{{}, FakeKeyholder::refuse()};
    SignChannel channel{keyholder.worker_end()};
    use_sign_channel(&channel);
    const ServerContexts contexts = ServerContexts::build(settings_for(1), credentials).value();
    Pair pair{contexts, {}};
    CHECK_FALSE(pair.shake_hands());
    use_sign_channel(nullptr);
    REQUIRE(keyholder.requests().size() == 1);
    CHECK(keyholder.requests()[0].certificate == kName);
}

TEST_CASE("A P-384 certificate serves TLS 1.2 clients that know the curve", "[tls][handshake]")
{
    Rig rig{{{KeyType::ec384, {"a.example"}}}};
    Pair pair{rig.contexts, {.version = TLS1_2_VERSION, .groups = "P-256:P-384"}};
    CHECK(handshake_reason(pair) == "succeeded");
}

TEST_CASE("A private key that was handed to the worker signs without a keyholder", "[tls][handshake]")
{
    const KeyType type = GENERATE(from_range(kKeyTypes));
    CAPTURE(text_of(type));
    use_sign_channel(nullptr);
    Credentials credentials = credentials_for({{type, {"a.example"}}});
    credentials.certificates[0].private_key = private_der(key_of(type));
    const auto contexts = ServerContexts::build(settings_for(1), credentials);
    REQUIRE(contexts);
    Pair pair{*contexts, {}};
    CHECK(handshake_reason(pair) == "succeeded");
    CHECK(self_test(credentials).has_value());
}

TEST_CASE("A private key that is not the certificate's is refused", "[tls]")
{
    Credentials credentials = credentials_for({{KeyType::ec256, {"a.example"}}});
    credentials.certificates[0].private_key = private_der(crypto::KeyHandle{EVP_EC_gen("P-256")}.get());
    const auto contexts = ServerContexts::build(settings_for(1), credentials);
    REQUIRE_FALSE(contexts);
    CHECK(contexts.error().starts_with("certificate 0: "));
    CHECK(contexts.error().ends_with("mismatch"));
}

TEST_CASE("What cannot be served is told by its index", "[tls]")
{
    Credentials credentials = credentials_for({{KeyType::ec256, {"a.example"}}, {KeyType::ec256, {"b.example"}}});
    ipc::TlsSettings settings = settings_for(2);
    SECTION("a chain that is not one")
    {
        credentials.certificates[1].chain = {ipc::Bytes(10, std::byte{1})};
        CHECK(ServerContexts::build(settings, credentials).error().starts_with("certificate 1: "));
    }
    SECTION("an empty chain")
    {
        credentials.certificates[1].chain.clear();
        CHECK(ServerContexts::build(settings, credentials).error() == "certificate 1: it is empty");
    }
    SECTION("an index that the keyholder does not have")
    {
        settings.certificates.push_back(2);
        CHECK(ServerContexts::build(settings, credentials).error().starts_with("certificate 2: "));
    }
    SECTION("a key that is too weak")
    {
        const crypto::KeyHandle weak{EVP_RSA_gen(1024)};
        credentials.certificates[1].chain = {certificate_for(weak.get(), {"b.example"})};
        CHECK(ServerContexts::build(settings, credentials).error() == "certificate 1: ee key too small");
    }
    SECTION("nothing at all")
    {
        settings.certificates.clear();
        CHECK_FALSE(ServerContexts::build(settings, credentials).has_value());
    }
}

TEST_CASE("The whole chain is sent", "[tls][handshake]")
{
    Credentials credentials = credentials_for({{KeyType::ec256, {"a.example"}}});
    credentials.certificates[0].private_key = private_der(key_of(KeyType::ec256));
    credentials.certificates[0].chain.push_back(certificate_for(key_of(KeyType::rsa2048), {"ca.example"}, 2));
    credentials.certificates[0].chain.push_back(certificate_for(key_of(KeyType::ed25519), {"root.example"}, 3));
    const auto contexts = ServerContexts::build(settings_for(1), credentials);
    REQUIRE(contexts);
    Pair pair{*contexts, {}};
    REQUIRE(handshake_reason(pair) == "succeeded");
    CHECK(sk_X509_num(SSL_get_peer_cert_chain(pair.client())) == 3);
}

TEST_CASE("A client's own certificate is verified as if our provider were not there", "[tls][handshake]")
{
    // Pitfall: peers' keys must be imported by the default provider, never offered to ours.
    const KeyType type = GENERATE(from_range(kKeyTypes));
    const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
    CAPTURE(text_of(type), version);
    Rig rig{{{KeyType::ec256, {"a.example"}}}};
    Pair pair{rig.contexts, {.version = version, .client_key = key_of(type)}};
    SSL_set_verify(pair.server(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                   [](int, X509_STORE_CTX*) { return 1; });
    CHECK(handshake_reason(pair) == "succeeded");
    CHECK(crypto::X509Handle{SSL_get1_peer_certificate(pair.server())} != nullptr);
}

TEST_CASE("The facts of a handshake are told in IANA's words", "[tls]")
{
    Rig rig{{{KeyType::rsa2048, {"a.example"}}}};
    Pair modern{rig.contexts, {.sni = "a.example", .groups = "X25519"}};
    REQUIRE(handshake_reason(modern) == "succeeded");
    CHECK(modern.facts().version == "TLSv1.3");
    CHECK(modern.facts().cipher.starts_with("TLS_AES_"));
    CHECK(modern.facts().group == "x25519");
    CHECK(modern.facts().sni == "a.example");
    CHECK(modern.facts().alpn.empty());
    CHECK_FALSE(modern.facts().resumed);
}

TEST_CASE("A connection that said nothing has no facts", "[tls]")
{
    const Rig rig{{{KeyType::rsa2048, {"a.example"}}}};
    const SslHandle silent = rig.contexts.new_session();
    const HandshakeFacts facts = handshake_facts(silent.get());
    CHECK(facts.cipher.empty());
    CHECK(facts.group.empty());
    CHECK(facts.sni.empty());
    CHECK(facts.alpn.empty());
    CHECK_FALSE(facts.resumed);
}

TEST_CASE("A server name with characters that no host has does not reach the log", "[tls]")
{
    Rig rig{{{KeyType::ec256, {"a.example"}}}};
    Pair pair{rig.contexts, {.sni = "a\"\n\x1b[31m.example"}};
    REQUIRE(handshake_reason(pair) == "succeeded");
    CHECK(pair.facts().sni == "(unprintable)");
}

TEST_CASE("A refused signature ends the handshake and is told as that", "[tls][handshake]")
{
    const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
    Rig rig{{{KeyType::ec256, {"a.example"}}}, nullptr, FakeKeyholder::refuse()};
    Pair pair{rig.contexts, {.version = version}};
    CHECK(handshake_reason(pair) == "signature refused");
    CHECK(pair.failure()->side == Side::self);
    CHECK(rig.channel.counts().refused == 1);
}

TEST_CASE("A wrong signature is found by the client and told as its alert", "[tls][handshake]")
{
    Rig rig{{{KeyType::ec256, {"a.example"}}}, nullptr, [](FakeKeyholder& k, const ipc::Sign& request) {
                ipc::Sign other = request;
                other.text.back() ^= std::byte{1};
                k.answer(request.sequence, k.signature_for(other));
                return true;
            }};
    Pair pair{rig.contexts, {}};
    CHECK(handshake_reason(pair) == "client alert: decrypt error");
}

TEST_CASE("Handshakes fail while the keyholder is dead and succeed with the next one, in the same contexts",
          "[tls][handshake]")
{
    Rig rig{{{KeyType::ec256, {"a.example"}}}, nullptr, FakeKeyholder::die()};
    Pair during{rig.contexts, {}};
    CHECK(handshake_reason(during) == "key unavailable");
    CHECK(during.failure()->side == Side::self);

    FakeKeyholder next{{key_of(KeyType::ec256)}};
    rig.channel.replace(next.worker_end());
    Pair after{rig.contexts, {}};
    CHECK(handshake_reason(after) == "succeeded");
}

TEST_CASE("The very handshake during which the keyholder dies succeeds with the next one", "[tls][handshake]")
{
    const Credentials credentials = credentials_for({{KeyType::ec256, {"a.example"}}});
    FakeKeyholder dying{{key_of(KeyType::ec256)}, FakeKeyholder::die()};
    FakeKeyholder next{{key_of(KeyType::ec256)}};
    SignChannel channel{dying.worker_end()};
    use_sign_channel(&channel);
    const ServerContexts contexts = ServerContexts::build(settings_for(1), credentials).value();
    std::thread gatekeeper{[&] {
        while (dying.requests().empty())
            std::this_thread::yield();
        channel.replace(next.worker_end());
    }};
    Pair pair{contexts, {}};
    CHECK(handshake_reason(pair) == "succeeded");
    gatekeeper.join();
    use_sign_channel(nullptr);
    CHECK(channel.counts().resent == 1);
}

TEST_CASE("A live connection keeps the contexts that were replaced under it", "[tls][handshake]")
{
    std::optional<Pair> pair;
    const Credentials credentials =
        credentials_for({{KeyType::ec256, {"a.example"}}, {KeyType::rsa2048, {"b.example"}}});
    FakeKeyholder keyholder{keys_for({{KeyType::ec256, {}}, {KeyType::rsa2048, {}}})};
    SignChannel channel{keyholder.worker_end()};
    use_sign_channel(&channel);
    {
        const ServerContexts contexts = ServerContexts::build(settings_for(2), credentials).value();
        pair.emplace(contexts, ClientOptions{.sni = "b.example"});
    }
    CHECK(handshake_reason(*pair) == "succeeded");
    CHECK(pair->peer_serial() == 2);
    CHECK(SSL_SESSION_has_ticket(pair->session().get()) == 1);
    use_sign_channel(nullptr);
}

TEST_CASE("Shards sign at the same time, each through its own channel", "[tls][handshake]")
{
    const Credentials credentials =
        credentials_for({{KeyType::ec256, {"a.example"}}, {KeyType::ed25519, {"a.example"}}});
    constexpr int kShards = 3;
    constexpr int kHandshakes = 20;
    std::array<int, kShards> done{};
    std::vector<std::thread> shards;
    for (int& mine : done)
        shards.emplace_back([&credentials, &mine] {
            FakeKeyholder keyholder{keys_for({{KeyType::ec256, {}}, {KeyType::ed25519, {}}})};
            SignChannel channel{keyholder.worker_end()};
            use_sign_channel(&channel);
            const ServerContexts contexts = ServerContexts::build(settings_for(2), credentials).value();
            for (int i = 0; i < kHandshakes; ++i) {
                Pair pair{contexts, {.version = i % 2 == 0 ? TLS1_2_VERSION : TLS1_3_VERSION}};
                mine += pair.shake_hands() ? 1 : 0;
            }
            mine += keyholder.requests().size() == kHandshakes ? 0 : -1000;
            use_sign_channel(nullptr);
        });
    for (std::thread& shard : shards)
        shard.join();
    CHECK(done == std::array<int, kShards>{kHandshakes, kHandshakes, kHandshakes});
}

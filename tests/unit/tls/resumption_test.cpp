#include <ctime>

#include "handshake.hpp"
#include "support/catch.hpp"

using namespace sallyport;
using namespace sallyport::tls;
using namespace sallyport::tls::test;

namespace {

const std::vector<Entry> kOne{{KeyType::ec256, {"a.example"}}};

/// A full handshake, of which only the client's session is left.
SessionHandle first_session(const ServerContexts& contexts, int version, const std::string& sni = "a.example")
{
    Pair pair{contexts, {.version = version, .sni = sni}};
    REQUIRE(pair.shake_hands());
    REQUIRE_FALSE(pair.facts().resumed);
    return pair.session();
}

bool resumes(const ServerContexts& contexts, SSL_SESSION* session, const std::string& sni = "a.example")
{
    Pair pair{contexts, {.version = SSL_SESSION_get_protocol_version(session), .sni = sni, .session = session}};
    REQUIRE(pair.shake_hands());
    CHECK(SSL_session_reused(pair.client()) == (pair.facts().resumed ? 1 : 0));
    return pair.facts().resumed;
}

void set_time(SSL_SESSION* session, std::time_t time)
{
#if OPENSSL_VERSION_NUMBER >= 0x30400000L
    SSL_SESSION_set_time_ex(session, time);
#else
    SSL_SESSION_set_time(session, time);
#endif
}

/// The ring's key that sealed the session's ticket: its fill byte, see ticket_key().
int sealed_by(const SSL_SESSION* session)
{
    const unsigned char* ticket = nullptr;
    std::size_t size = 0;
    SSL_SESSION_get0_ticket(session, &ticket, &size);
    REQUIRE(size > 16);
    return ticket[0];
}

} // namespace

TEST_CASE("A ticket resumes without a signature, on every shard and after a restart", "[tls][resumption]")
{
    const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
    CAPTURE(version);
    Rig first{kOne};
    const SessionHandle session = first_session(first.contexts, version);

    Rig second{kOne, nullptr, FakeKeyholder::refuse()};
    CHECK(resumes(second.contexts, session.get()));
    CHECK(second.keyholder.requests().empty());
}

TEST_CASE("A resumed handshake tells the same facts", "[tls][resumption]")
{
    const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
    CAPTURE(version);
    Rig rig{{{KeyType::ec256, {"a.example"}}, {KeyType::rsa2048, {"b.example"}}}};
    const std::string sni = GENERATE("a.example", "b.example", "unknown.example");
    CAPTURE(sni);
    const SessionHandle session = first_session(rig.contexts, version, sni);
    Pair pair{rig.contexts, {.version = version, .sni = sni, .session = session.get()}};
    REQUIRE(pair.shake_hands());
    const HandshakeFacts facts = pair.facts();
    CHECK(facts.resumed);
    CHECK(facts.sni == sni);
    CHECK_FALSE(facts.group.empty());
    CHECK_FALSE(facts.cipher.empty());
}

TEST_CASE("Tickets of another ring are not accepted, and the handshake goes on in full", "[tls][resumption]")
{
    const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
    Rig rig{kOne};
    const SessionHandle session = first_session(rig.contexts, version);
    rig.contexts.use_tickets(std::array{ticket_key(77)});
    CHECK_FALSE(resumes(rig.contexts, session.get()));
}

TEST_CASE("A forged ticket is not accepted", "[tls][resumption]")
{
    Rig rig{kOne};
    const SessionHandle session = first_session(rig.contexts, TLS1_2_VERSION);
    // The same name, another key: what a guesser of names has.
    ipc::TicketKey other = ticket_key(10);
    other.hmac.fill(std::byte{0});
    rig.contexts.use_tickets(std::array{other});
    CHECK_FALSE(resumes(rig.contexts, session.get()));
}

TEST_CASE("After a rotation old tickets are taken and renewed with the new key", "[tls][resumption]")
{
    const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
    CAPTURE(version);
    Rig rig{kOne};
    const SessionHandle session = first_session(rig.contexts, version);
    CHECK(sealed_by(session.get()) == 10);

    rig.contexts.use_tickets(std::array{ticket_key(40), ticket_key(10)});
    Pair pair{rig.contexts, {.version = version, .sni = "a.example", .session = session.get()}};
    REQUIRE(pair.shake_hands());
    CHECK(pair.facts().resumed);
    CHECK(sealed_by(pair.session().get()) == 40);
}

TEST_CASE("A ticket of the next epoch, from a sibling whose clock is ahead, is taken", "[tls][resumption]")
{
    Rig ahead{kOne};
    ahead.contexts.use_tickets(std::array{ticket_key(30), ticket_key(10)});
    const SessionHandle session = first_session(ahead.contexts, TLS1_3_VERSION);
    CHECK(sealed_by(session.get()) == 30);
    Rig behind{kOne};
    CHECK(resumes(behind.contexts, session.get()));
}

TEST_CASE("An empty ring from the keyholder changes nothing", "[tls][resumption]")
{
    Rig rig{kOne};
    rig.contexts.use_tickets({});
    const SessionHandle session = first_session(rig.contexts, TLS1_3_VERSION);
    CHECK(sealed_by(session.get()) == 10);
}

TEST_CASE("Tickets live as long as they are configured to", "[tls][resumption]")
{
    const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
    ipc::TlsSettings settings = settings_for(1);
    settings.ticket_lifetime_s = 1234;
    Rig rig{kOne, &settings};
    CHECK(SSL_SESSION_get_ticket_lifetime_hint(first_session(rig.contexts, version).get()) == 1234);
}

TEST_CASE("An expired ticket is not accepted", "[tls][resumption]")
{
    // The time of the server's session is in the ticket: it is set back while the handshake goes on.
    Rig rig{kOne};
    Pair pair{rig.contexts, {.version = TLS1_2_VERSION, .sni = "a.example"}};
    SSL_set_info_callback(pair.server(), [](const SSL* ssl, int, int) {
        if (SSL_SESSION* session = SSL_get_session(ssl)) set_time(session, std::time(nullptr) - 7201);
    });
    REQUIRE(pair.shake_hands());
    CHECK_FALSE(resumes(rig.contexts, pair.session().get()));
}

TEST_CASE("Without session tickets nothing resumes", "[tls][resumption]")
{
    const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
    const bool configured = GENERATE(true, false);
    CAPTURE(version, configured);
    ipc::TlsSettings settings = settings_for(1);
    settings.tickets = configured;
    Credentials credentials = credentials_for(kOne);
    if (configured) credentials.tickets.clear(); // or there are no keys for them
    credentials.certificates[0].private_key = private_der(key_of(KeyType::ec256));
    const ServerContexts contexts = ServerContexts::build(settings, credentials).value();
    const SessionHandle session = first_session(contexts, version);
    CHECK(SSL_SESSION_has_ticket(session.get()) == 0);
    CHECK_FALSE(resumes(contexts, session.get()));
}

TEST_CASE("One ticket is sent for a full TLS 1.3 handshake, and one for a resumed one", "[tls][resumption]")
{
    Rig rig{kOne};
    Pair full{rig.contexts, {}};
    REQUIRE(full.shake_hands());
    CHECK(SSL_get_num_tickets(full.server()) == 1);
    const SessionHandle session = full.session();
    Pair resumed{rig.contexts, {.session = session.get()}};
    REQUIRE(resumed.shake_hands());
    CHECK(resumed.facts().resumed);
    const SessionHandle next = resumed.session();
    CHECK(SSL_SESSION_is_resumable(next.get()) == 1);
    CHECK(resumes(rig.contexts, next.get(), ""));
}

TEST_CASE("A ticket of a listener with other certificates is not accepted", "[tls][resumption]")
{
    const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
    CAPTURE(version);
    const std::vector<Entry> two{{KeyType::ec256, {"a.example"}}, {KeyType::rsa2048, {"a.example"}}};
    ipc::TlsSettings second_only = settings_for(2);
    second_only.certificates = {1};
    Rig one{two};
    const SessionHandle session = first_session(one.contexts, version);
    Rig other{two, &second_only};
    CHECK_FALSE(resumes(other.contexts, session.get()));
}

TEST_CASE("A name of another context resumes in its own", "[tls][resumption]")
{
    const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
    Rig rig{{{KeyType::ec256, {"a.example"}}, {KeyType::rsa2048, {"b.example"}}}};
    const SessionHandle session = first_session(rig.contexts, version, "b.example");
    CHECK(resumes(rig.contexts, session.get(), "b.example"));
}

TEST_CASE("Early data is neither promised nor taken", "[tls][resumption]")
{
    Rig rig{kOne};
    CHECK(SSL_SESSION_get_max_early_data(first_session(rig.contexts, TLS1_3_VERSION).get()) == 0);
}

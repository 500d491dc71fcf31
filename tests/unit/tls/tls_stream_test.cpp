// The connections of one shard, whose bytes all go through its scratch.
#include "sallyport/tls/tls_stream.hpp"

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/socket.h>

#include "handshake.hpp"
#include "sallyport/tls/remote_key.hpp"
#include "support/catch.hpp"

using namespace sallyport;
using namespace sallyport::tls;
using namespace sallyport::tls::test;

namespace {

/// A certificate whose key is at hand.
Credentials local_credentials()
{
    Credentials credentials = credentials_for({{KeyType::ec256, {"a.example"}}});
    credentials.certificates[0].private_key = private_der(key_of(KeyType::ec256));
    return credentials;
}

struct ThisShard {
    net::EventLoop loop;
    net::HoldBudget budget{1 << 20};
    metrics::Traffic traffic{};
    Scratch scratch{traffic};
    Credentials credentials{local_credentials()};
    std::optional<ServerContexts> contexts{ServerContexts::build(settings_for(1), credentials).value()};

    void run(const std::function<net::Task<void>(ThisShard&)>& story)
    {
        loop.post([&] { spawn(story); });
        loop.run();
    }

private:
    net::Detached spawn(const std::function<net::Task<void>(ThisShard&)>& story)
    {
        co_await story(*this);
        loop.stop();
    }
};

/// A connection of the shard, with its client.
class Served {
public:
    explicit Served(ThisShard& shard, int version = TLS1_2_VERSION) : Served{shard, version, pair_of_sockets()} {}

    TlsStream stream;
    SslHandle client;

    net::Task<void> shake_hands(ThisShard& shard)
    {
        REQUIRE(stream.socket().open());
        auto shaking = stream.handshake();
        shaking.start();
        while (SSL_do_handshake(client.get()) != 1)
            co_await net::Yield{shard.loop};
        const auto shaken = co_await std::move(shaking);
        REQUIRE(shaken);
    }

    /// Its hello alone: what has come stays unread.
    void ask_to_renegotiate()
    {
        BIO* const socket = SSL_get_rbio(client.get());
        BIO_up_ref(socket);
        SSL_set0_rbio(client.get(), BIO_new(BIO_s_mem()));
        REQUIRE(SSL_renegotiate(client.get()) == 1);
        REQUIRE(SSL_do_handshake(client.get()) != 1);
        SSL_set0_rbio(client.get(), socket);
        ERR_clear_error();
    }

    /// What the client makes of what has come; or why it cannot.
    std::string read()
    {
        std::array<char, 64> text;
        const int got = SSL_read(client.get(), text.data(), text.size());
        if (got > 0) return {text.data(), static_cast<std::size_t>(got)};
        const char* reason = ERR_reason_error_string(ERR_peek_last_error());
        ERR_clear_error();
        return reason != nullptr ? reason : "nothing";
    }

private:
    static std::pair<UniqueFd, UniqueFd> pair_of_sockets()
    {
        std::array<int, 2> ends;
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) == 0);
        return {UniqueFd{ends[0]}, UniqueFd{ends[1]}};
    }
    Served(ThisShard& shard, int version, std::pair<UniqueFd, UniqueFd> ends)
        : stream{std::move(ends.first), shard.contexts, shard.scratch, shard.loop, shard.budget},
          client{make_client({.version = version, .sni = "a.example"})},
          far_{std::move(ends.second)}
    {
        SSL_set_fd(client.get(), far_.get());
    }

    UniqueFd far_;
};

/// One that misbehaves, and one that must not feel it.
struct TwoServed {
    explicit TwoServed(ThisShard& shard) : asking{shard}, other{shard} {}

    net::Task<void> shake_hands(ThisShard& shard)
    {
        co_await asking.shake_hands(shard);
        co_await other.shake_hands(shard);
    }

    Served asking;
    Served other;
};

} // namespace

TEST_CASE("Who asks to renegotiate is refused, and the shard's next client gets none of it", "[tls][stream]")
{
    ThisShard shard;
    shard.run([](ThisShard& s) -> net::Task<void> {
        TwoServed two{s};
        auto& [asking, other] = two;
        co_await two.shake_hands(s);

        asking.ask_to_renegotiate();
        const auto got = asking.stream.receive(Scratch::kCipherIn);
        REQUIRE(got);
        CHECK((got->bytes.empty() && !got->end));
        REQUIRE(other.stream.send(std::as_bytes(std::span{std::string_view{"hello"}})));

        CHECK(other.read() == "hello");
        CHECK(asking.read() == "no renegotiation");
    });
}

TEST_CASE("Who asks to renegotiate and does not take what it is sent is let go", "[tls][stream]")
{
    // Else each time would cost an alert that is held for it.
    ThisShard shard;
    shard.run([](ThisShard& s) -> net::Task<void> {
        TwoServed two{s};
        auto& [asking, other] = two;
        co_await two.shake_hands(s);
        const std::string much(64 * 1024, 'x');
        while (!asking.stream.holds())
            REQUIRE(asking.stream.send(std::as_bytes(std::span{much})));

        asking.ask_to_renegotiate();
        const auto got = asking.stream.receive(Scratch::kCipherIn);
        REQUIRE_FALSE(got);
        CHECK(got.error().fault == Fault::over_limit);
        CHECK(got.error().side == Side::client);

        REQUIRE(other.stream.send(std::as_bytes(std::span{std::string_view{"hello"}})));
        CHECK(other.read() == "hello");
    });
}

TEST_CASE("Of what a client sends right behind its handshake no more than a record is kept, and nothing is lost",
          "[tls][stream]")
{
    ThisShard shard;
    shard.run([](ThisShard& s) -> net::Task<void> {
        Served eager{s, TLS1_3_VERSION};
        REQUIRE(eager.stream.socket().open());
        auto shaking = eager.stream.handshake();
        shaking.start();
        while (SSL_do_handshake(eager.client.get()) != 1)
            co_await net::Yield{s.loop};
        const std::string much(64 * 1024, 'x');
        REQUIRE(SSL_write(eager.client.get(), much.data(), 64 * 1024) == 64 * 1024);
        const auto shaken = co_await std::move(shaking);
        REQUIRE(shaken);

        const auto kept = eager.stream.receive(Scratch::kCipherIn);
        REQUIRE(kept);
        CHECK(kept->bytes.size() <= Scratch::kRecordMax);
        const auto rest = eager.stream.receive(Scratch::kCipherIn);
        REQUIRE(rest);
        CHECK(kept->bytes.size() + rest->bytes.size() == much.size());
    });
}

TEST_CASE("Much is sealed whole for a client that wants small records, and for one that is slow", "[tls][stream]")
{
    ThisShard shard;
    shard.run([](ThisShard& s) -> net::Task<void> {
        Served small{s, TLS1_2_VERSION}; // whose records are the longest
        REQUIRE(SSL_set_tlsext_max_fragment_length(small.client.get(), TLSEXT_max_fragment_length_512) == 1);
        co_await small.shake_hands(s);
        const std::string much(2 * Scratch::kPlain + 1, 'x');
        REQUIRE(small.stream.send(std::as_bytes(std::span{much})));

        std::size_t got = 0;
        std::vector<char> room(64 * 1024);
        while (got < much.size()) {
            const int size = SSL_read(small.client.get(), room.data(), 64 * 1024);
            if (size > 0)
                got += static_cast<std::size_t>(size);
            else
                co_await net::Yield{s.loop};
            REQUIRE(small.stream.socket().send_held());
        }
        CHECK(got == much.size());
    });
}

// The floor: what a TLS relay costs at least. Epoll and OpenSSL with every technique that paid (shared/goals.md) and no
// feature: no limits, deadlines, logs or half-close. Sallyport is measured against it; nobody should run it.
//
// One thread. Ciphertext and plaintext pass through three buffers that all connections share; a connection owns memory
// only while a socket is full. Descriptors are registered once, edge-triggered.
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include "arguments.hpp"
#include "sockets.hpp"

namespace {

using bench::Epoll;
using bench::Fd;

constexpr std::size_t kBuffer = 1024 * 1024;
/// Plain text begins 8 bytes behind a multiple of 16, as it does in OpenSSL: sallyport/tls/placed_buffer.hpp says why.
constexpr std::size_t kShift = 8;

struct Relay;

/// One descriptor of a relay, and what is known of it since its last event.
struct Side {
    Relay* relay{};
    Fd fd;
    bool readable{true};
    bool hung_up{};
    std::string unsent; ///< bytes that the socket did not take
};

struct Relay {
    Side client;
    Side app;
    SSL* tls{}; ///< null: no TLS at all, to see what the kernel alone costs
    bool established{};
    bool closing{}; ///< close when the client has been sent all
    bool dead{};

    ~Relay() { SSL_free(tls); }
};

/// What the thread's connections share. `unread` and `sealed` are the two ends of the BIO.
struct Shard {
    Epoll epoll;
    SSL_CTX* context{};
    BIO* bio{};
    std::uint16_t app_port{};
    std::vector<char> input = std::vector<char>(kBuffer);
    std::vector<char> plain_memory = std::vector<char>(kBuffer + kShift);
    std::span<char> plain{plain_memory.data() + kShift, kBuffer};
    std::string_view unread;
    std::vector<char> sealed;
    std::vector<Relay*> graveyard;
} shard;

int read_cipher(BIO* bio, char* to, std::size_t room, std::size_t* got)
{
    BIO_clear_retry_flags(bio);
    *got = std::min(room, shard.unread.size());
    if (*got == 0) {
        BIO_set_retry_read(bio);
        return 0;
    }
    std::memcpy(to, shard.unread.data(), *got);
    shard.unread.remove_prefix(*got);
    return 1;
}

int write_cipher(BIO*, const char* from, std::size_t size, std::size_t* taken)
{
    shard.sealed.insert(shard.sealed.end(), from, from + size);
    *taken = size;
    return 1;
}

long control(BIO*, int command, long, void*)
{
    return command == BIO_CTRL_FLUSH || command == BIO_CTRL_PUSH || command == BIO_CTRL_POP ? 1 : 0;
}

/// One BIO serves every connection: it has no state but the shard's buffers.
BIO* make_bio()
{
    BIO_METHOD* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "shard buffers");
    BIO_meth_set_read_ex(method, read_cipher);
    BIO_meth_set_write_ex(method, write_cipher);
    BIO_meth_set_ctrl(method, control);
    BIO* bio = BIO_new(method);
    BIO_set_init(bio, 1);
    return bio;
}

SSL_CTX* make_context(const std::string& certificate, const std::string& key)
{
    SSL_CTX* context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_session_id_context(context, reinterpret_cast<const unsigned char*>("floor"), 5);
    SSL_CTX_set_num_tickets(context, 1);
    if (SSL_CTX_set1_groups_list(context, "X25519:P-256") != 1 ||
        SSL_CTX_use_certificate_chain_file(context, certificate.c_str()) != 1 ||
        SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1) {
        ERR_print_errors_fp(stderr);
        std::exit(1);
    }
    return context;
}

void bury(Relay& relay)
{
    if (relay.dead) return;
    relay.dead = true;
    shard.graveyard.push_back(&relay);
}

/// Sends at once what the socket takes and keeps a copy of the rest.
void send_to(Side& side, std::string_view data, int flags = 0)
{
    ssize_t sent = 0;
    if (side.unsent.empty()) sent = ::send(side.fd.number(), data.data(), data.size(), MSG_NOSIGNAL | flags);
    if (sent < 0 && errno != EAGAIN) return bury(*side.relay);
    data.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(sent, 0)));
    side.unsent.append(data);
}

void send_unsent(Side& side)
{
    if (side.unsent.empty()) return;
    const std::string held = std::exchange(side.unsent, {});
    send_to(side, held);
}

void send_sealed(Relay& relay, int flags = 0)
{
    if (shard.sealed.empty()) return;
    send_to(relay.client, {shard.sealed.data(), shard.sealed.size()}, flags);
    shard.sealed.clear();
}

void close_client(Relay& relay)
{
    if (relay.established) SSL_shutdown(relay.tls);
    send_sealed(relay);
    relay.closing = true;
}

/// Several records into one buffer. Less than the buffer holds: everything that had arrived.
std::size_t decrypt(Relay& relay)
{
    std::size_t filled = 0;
    while (filled < shard.plain.size()) {
        std::size_t got{};
        const int result = SSL_read_ex(relay.tls, shard.plain.data() + filled, shard.plain.size() - filled, &got);
        if (result != 1) {
            if (SSL_get_error(relay.tls, result) != SSL_ERROR_WANT_READ) relay.closing = true;
            break;
        }
        filled += got;
    }
    return filled;
}

bool shake_hands(Relay& relay)
{
    const int result = SSL_accept(relay.tls);
    if (result != 1 && SSL_get_error(relay.tls, result) != SSL_ERROR_WANT_READ) {
        ERR_clear_error();
        bury(relay);
    }
    relay.established = result == 1;
    // What is left of a handshake of TLS 1.3 is a ticket, which can leave with the answer.
    const bool is_ticket = relay.established && SSL_version(relay.tls) == TLS1_3_VERSION;
    send_sealed(relay, is_ticket ? MSG_MORE : 0);
    return relay.established;
}

void take_from_client(Relay& relay)
{
    if (!relay.established && !shake_hands(relay)) return;
    for (bool more = true; more && !relay.closing;) {
        const std::size_t filled = decrypt(relay);
        if (filled > 0) send_to(relay.app, {shard.plain.data(), filled});
        more = filled == shard.plain.size();
    }
    if (relay.closing) close_client(relay);
}

void take_from_app(Relay& relay, std::size_t size)
{
    if (relay.tls == nullptr) return send_to(relay.client, {shard.plain.data(), size});
    std::size_t written{};
    if (SSL_write_ex(relay.tls, shard.plain.data(), size, &written) != 1) return bury(relay);
    send_sealed(relay);
}

/// Reads once; 0 when there is nothing for now. A short read has emptied the socket, unless an end came with it.
std::size_t read_from(Side& side, std::span<char> buffer)
{
    const ssize_t got = ::recv(side.fd.number(), buffer.data(), buffer.size(), 0);
    if (got <= 0) {
        side.readable = false;
        if (got < 0 && errno == EAGAIN) return 0;
        close_client(*side.relay);
        return 0;
    }
    if (static_cast<std::size_t>(got) < buffer.size() && !side.hung_up) side.readable = false;
    return static_cast<std::size_t>(got);
}

/// A full socket on one side stops the reading on the other.
void pump_client(Relay& relay)
{
    while (relay.client.readable && relay.app.unsent.empty() && !relay.closing && !relay.dead) {
        const std::size_t got = read_from(relay.client, shard.input);
        if (got == 0) continue;
        shard.unread = {shard.input.data(), got};
        relay.tls == nullptr ? send_to(relay.app, shard.unread) : take_from_client(relay);
    }
}

void pump_app(Relay& relay)
{
    if (relay.tls != nullptr && !relay.established) return;
    while (relay.app.readable && relay.client.unsent.empty() && !relay.closing && !relay.dead) {
        const std::size_t got = read_from(relay.app, shard.plain);
        if (got > 0) take_from_app(relay, got);
    }
}

void serve(Side& side, std::uint32_t events)
{
    Relay& relay = *side.relay;
    if (relay.dead) return;
    if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) side.hung_up = true;
    if ((events & EPOLLIN) != 0 || side.hung_up) side.readable = true;
    if ((events & EPOLLOUT) != 0) send_unsent(side);
    pump_client(relay);
    pump_app(relay);
    if (relay.closing && relay.client.unsent.empty()) bury(relay);
}

void accept_one(const Fd& listener)
{
    Fd fd = bench::accept_from(listener);
    if (fd.number() < 0) return;
    auto* relay = new Relay{};
    relay->client.relay = relay->app.relay = relay;
    relay->client.fd = std::move(fd);
    relay->app.fd = bench::connect_to(shard.app_port);
    // Nothing has come yet, as a rule: the first event tells.
    relay->client.readable = relay->app.readable = false;
    if (shard.context != nullptr) {
        relay->tls = SSL_new(shard.context);
        BIO_up_ref(shard.bio);
        SSL_set_bio(relay->tls, shard.bio, shard.bio);
    }
    if (relay->app.fd.number() < 0) return bury(*relay);
    shard.epoll.add(relay->client.fd, &relay->client);
    shard.epoll.add(relay->app.fd, &relay->app);
}

void run(const Fd& listener)
{
    for (;;) {
        for (const epoll_event& event : shard.epoll.wait()) {
            auto* side = static_cast<Side*>(event.data.ptr);
            side == nullptr ? accept_one(listener) : serve(*side, event.events);
        }
        for (const Relay* relay : shard.graveyard)
            delete relay;
        shard.graveyard.clear();
    }
}

} // namespace

int main(int count, char** words)
{
    bench::Arguments arguments{count - 1, words + 1};
    shard.app_port = arguments.port("app");
    if (!arguments.flag("plain")) {
        shard.context = make_context(arguments.text("cert", "cert.pem"), arguments.text("key", "key.pem"));
        shard.bio = make_bio();
        shard.sealed.reserve(2 * kBuffer);
    }
    const Fd listener = bench::listen_on(arguments.port("port"));
    arguments.end();
    bench::raise_descriptor_limit();
    shard.epoll.add_listener(listener, nullptr);
    run(listener);
}

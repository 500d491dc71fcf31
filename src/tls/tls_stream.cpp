#include "sallyport/tls/tls_stream.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "sallyport/base/contract.hpp"
#include "sallyport/tls/handshake_failure.hpp"
#include "scratch_bio.hpp"

namespace sallyport::tls {

namespace {

constexpr std::string_view kHandshaking = "handshaking";
constexpr std::string_view kDecrypting = "decrypting";

/// Before OpenSSL is called for a connection: nothing of another's is left. SSL_get_error(3) would take its error for
/// this one's (asking first saves 500 instructions), and its record, sent as this one's, would end this one.
void begin_call(const Scratch& scratch)
{
    SALLYPORT_ASSERT(scratch.output().empty());
    if (ERR_peek_error() != 0) ERR_clear_error();
}

} // namespace

TlsStream::TlsStream(UniqueFd fd, const std::optional<ServerContexts>& contexts, Scratch& scratch, net::EventLoop& loop,
                     net::HoldBudget& budget)
    : socket_{std::move(fd), Side::client, loop, budget}, contexts_{contexts ? &*contexts : nullptr}, scratch_{scratch}
{
}

net::Task<Result<void>> TlsStream::handshake()
{
    while (encrypted()) {
        const bool readable = co_await socket_.readable();
        if (!readable) co_return fail(Fault::aborted, Side::self, kHandshaking);
        const Result<bool> fed = feed_handshake();
        if (!fed) co_return std::unexpected{fed.error()};
        if (!*fed) continue;
        // Nothing may come between feeding and keeping what was not read: the scratch is everybody's.
        const Step step = step_handshake();
        if (step == Step::failed) co_return explain_failure(kHandshaking);
        keep_unread();
        if (const auto sent = send_output(after(step)); !sent) co_return sent;
        while (socket_.holds()) {
            const bool writable = co_await socket_.writable();
            if (!writable) co_return fail(Fault::aborted, Side::self, kHandshaking);
            if (const auto sent = socket_.send_held(); !sent) co_return sent;
        }
        if (step == Step::done) break;
    }
    co_return Result<void>{};
}

// False: nothing has come yet. What comes behind the handshake is kept until the app is reached: not much of it.
Result<bool> TlsStream::feed_handshake()
{
    const auto got = socket_.receive(scratch_.cipher_in().first(Scratch::kRecordMax));
    if (!got) return std::unexpected{got.error()};
    if (got->kind == net::Arrival::Kind::end) return fail(Fault::truncated, Side::client, kHandshaking);
    if (got->kind == net::Arrival::Kind::nothing_yet) return false;
    silent_ = false;
    if (!ssl_) {
        ssl_ = contexts_->new_session();
        attach_scratch(ssl_.get(), scratch_);
    }
    scratch_.feed(scratch_.cipher_in().first(got->size));
    return true;
}

TlsStream::Step TlsStream::step_handshake()
{
    begin_call(scratch_);
    const int result = SSL_accept(ssl_.get());
    if (result == 1) return Step::done;
    return SSL_get_error(ssl_.get(), result) == SSL_ERROR_WANT_READ ? Step::wants_input : Step::failed;
}

// A client of TLS 1.3 needs nothing more of the handshake: what is left is a ticket, which can leave with the first
// answer. It saves a packet, and the client a wake-up: 5 % of a resumed handshake (bench/README.md).
net::Next TlsStream::after(Step step) const
{
    const bool is_ticket = step == Step::done && SSL_version(ssl_.get()) == TLS1_3_VERSION;
    return is_ticket ? net::Next::soon : net::Next::unknown;
}

void TlsStream::keep_unread()
{
    const auto unread = scratch_.unread();
    if (unread.empty()) return;
    early_ = std::make_unique_for_overwrite<std::byte[]>(unread.size());
    early_size_ = unread.size();
    std::memcpy(early_.get(), unread.data(), unread.size());
    scratch_.feed({});
}

Result<Plain> TlsStream::receive(std::size_t most)
{
    if (early_) {
        const auto early = std::exchange(early_, nullptr);
        return decrypt({early.get(), early_size_});
    }
    if (ended_) return Plain{.bytes = {}, .end = true};
    if (!ssl_) return receive_unencrypted(most);
    const auto got = socket_.receive(scratch_.cipher_in().first(most));
    if (!got) return std::unexpected{got.error()};
    if (got->kind == net::Arrival::Kind::nothing_yet) return Plain{};
    if (got->kind == net::Arrival::Kind::end) {
        return fail(Fault::truncated, Side::client, "waiting for close_notify");
    }
    return decrypt(scratch_.cipher_in().first(got->size));
}

Result<Plain> TlsStream::receive_unencrypted(std::size_t most)
{
    const auto into = scratch_.plain().first(most);
    const auto got = socket_.receive(into);
    if (!got) return std::unexpected{got.error()};
    silent_ = silent_ && got->kind != net::Arrival::Kind::bytes;
    scratch_.traffic().from_clients.add(got->size);
    return Plain{.bytes = into.first(got->size), .end = got->kind == net::Arrival::Kind::end};
}

// The plain buffer takes all that can be in the input and one record that was begun before, so nothing is left unread.
Result<Plain> TlsStream::decrypt(std::span<const std::byte> cipher)
{
    static_assert(Scratch::kPlain >= Scratch::kCipherIn + Scratch::kRecordMax);
    begin_call(scratch_);
    scratch_.feed(cipher);
    const auto plain = scratch_.plain();
    std::size_t filled = 0;
    for (;;) {
        std::size_t got = 0;
        const int result = SSL_read_ex(ssl_.get(), plain.data() + filled, plain.size() - filled, &got);
        filled += got;
        if (result == 1) continue;
        scratch_.traffic().from_clients.add(filled);
        const int error = SSL_get_error(ssl_.get(), result);
        ended_ = error == SSL_ERROR_ZERO_RETURN;
        if (!ended_ && error != SSL_ERROR_WANT_READ) return explain_failure(kDecrypting);
        if (ended_) scratch_.feed({}); // what comes behind it is nobody's
        if (const auto sent = send_answers(); !sent) return std::unexpected{sent.error()};
        return Plain{.bytes = plain.first(filled), .end = ended_};
    }
}

// A client of TLS 1.2 that asks to renegotiate is refused by an alert while its record is read. One that asks without
// taking what it is answered would have us hold an alert for each time.
Result<void> TlsStream::send_answers()
{
    if (scratch_.output().empty()) return {};
    if (!socket_.holds()) return send_output();
    scratch_.clear_output();
    return fail(Fault::over_limit, Side::client, "refusing to renegotiate");
}

Result<void> TlsStream::send(std::span<const std::byte> plain)
{
    scratch_.traffic().to_clients.add(plain.size());
    if (!ssl_) return socket_.send(plain);
    while (!plain.empty()) {
        const auto part = plain.first(std::min(plain.size(), Scratch::kPlain));
        if (!seal(part)) return explain_failure("encrypting");
        if (const auto sent = send_output(); !sent) return sent;
        plain = plain.subspan(part.size());
    }
    return {};
}

// A call seals a record (SSL_MODE_ENABLE_PARTIAL_WRITE); all of them leave together.
bool TlsStream::seal(std::span<const std::byte> plain)
{
    begin_call(scratch_);
    while (!plain.empty()) {
        std::size_t sealed = 0;
        if (SSL_write_ex(ssl_.get(), plain.data(), plain.size(), &sealed) != 1) return false;
        plain = plain.subspan(sealed);
    }
    return true;
}

Result<void> TlsStream::send_close_notify()
{
    if (!ssl_) return {};
    begin_call(scratch_);
    if (SSL_shutdown(ssl_.get()) < 0) return explain_failure("sending close_notify");
    return send_output();
}

Result<void> TlsStream::send_output(net::Next next)
{
    const auto sent = socket_.send(scratch_.output(), next);
    scratch_.clear_output();
    return sent;
}

// The alert that OpenSSL has written goes out if the socket takes it; the connection is over either way.
std::unexpected<Error> TlsStream::explain_failure(std::string_view doing)
{
    const HandshakeFailure failure = take_handshake_failure();
    reason_ = failure.reason;
    scratch_.feed({});
    static_cast<void>(send_output());
    return fail(failure.fault, failure.side, doing);
}

} // namespace sallyport::tls

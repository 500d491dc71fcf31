#include "sallyport/tls/tls_stream.hpp"

#include <cstring>
#include <utility>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "sallyport/tls/handshake_failure.hpp"
#include "scratch_bio.hpp"

namespace sallyport::tls {

namespace {

constexpr std::string_view kHandshaking = "handshaking";
constexpr std::string_view kDecrypting = "decrypting";

/// SSL_get_error(3) would take an error of another connection for this one's. Asking first saves 500 instructions.
void forget_errors()
{
    if (ERR_peek_error() != 0) ERR_clear_error();
}

} // namespace

TlsStream::TlsStream(UniqueFd fd, SslHandle ssl, Scratch& scratch, net::EventLoop& loop, net::HoldBudget& budget)
    : socket_{std::move(fd), Side::client, loop, budget}, ssl_{std::move(ssl)}, scratch_{scratch}
{
    attach_scratch(ssl_.get(), scratch_);
}

net::Task<Result<void>> TlsStream::handshake()
{
    for (;;) {
        const bool readable = co_await socket_.readable();
        if (!readable) co_return fail(Fault::aborted, Side::self, kHandshaking);
        const Result<bool> fed = feed_handshake();
        if (!fed) co_return std::unexpected{fed.error()};
        if (!*fed) continue;
        // Nothing may come between feeding and keeping what was not read: the scratch is everybody's.
        const Step step = step_handshake();
        if (step == Step::failed) co_return explain_failure(kHandshaking);
        keep_unread();
        if (const auto sent = send_output(); !sent) co_return sent;
        while (socket_.holds()) {
            const bool writable = co_await socket_.writable();
            if (!writable) co_return fail(Fault::aborted, Side::self, kHandshaking);
            if (const auto sent = socket_.send_held(); !sent) co_return sent;
        }
        if (step == Step::done) co_return Result<void>{};
    }
}

// False: nothing has come yet.
Result<bool> TlsStream::feed_handshake()
{
    const auto got = socket_.receive(scratch_.cipher_in());
    if (!got) return std::unexpected{got.error()};
    if (got->kind == net::Arrival::Kind::end) return fail(Fault::truncated, Side::client, kHandshaking);
    if (got->kind == net::Arrival::Kind::nothing_yet) return false;
    silent_ = false;
    scratch_.feed(scratch_.cipher_in().first(got->size));
    return true;
}

TlsStream::Step TlsStream::step_handshake()
{
    forget_errors();
    const int result = SSL_accept(ssl_.get());
    if (result == 1) return Step::done;
    return SSL_get_error(ssl_.get(), result) == SSL_ERROR_WANT_READ ? Step::wants_input : Step::failed;
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

Result<Plain> TlsStream::receive()
{
    if (early_) {
        const auto early = std::exchange(early_, nullptr);
        return decrypt({early.get(), early_size_});
    }
    const auto got = socket_.receive(scratch_.cipher_in());
    if (!got) return std::unexpected{got.error()};
    if (got->kind == net::Arrival::Kind::nothing_yet) return Plain{};
    if (got->kind == net::Arrival::Kind::end) {
        return fail(Fault::truncated, Side::client, "waiting for close_notify");
    }
    return decrypt(scratch_.cipher_in().first(got->size));
}

// The plain buffer takes all that can be in the input and one record that was begun before, so nothing is left unread.
Result<Plain> TlsStream::decrypt(std::span<const std::byte> cipher)
{
    static_assert(Scratch::kPlain >= Scratch::kCipherIn + Scratch::kRecordMax);
    forget_errors();
    scratch_.feed(cipher);
    const auto plain = scratch_.plain();
    std::size_t filled = 0;
    for (;;) {
        std::size_t got = 0;
        const int result = SSL_read_ex(ssl_.get(), plain.data() + filled, plain.size() - filled, &got);
        filled += got;
        if (result == 1) continue;
        switch (SSL_get_error(ssl_.get(), result)) {
        case SSL_ERROR_WANT_READ:
            return Plain{.bytes = plain.first(filled)};
        case SSL_ERROR_ZERO_RETURN:
            return Plain{.bytes = plain.first(filled), .end = true};
        default:
            return explain_failure(kDecrypting);
        }
    }
}

Result<void> TlsStream::send(std::span<const std::byte> plain)
{
    forget_errors();
    while (!plain.empty()) {
        std::size_t sealed = 0;
        if (SSL_write_ex(ssl_.get(), plain.data(), plain.size(), &sealed) != 1) return explain_failure("encrypting");
        plain = plain.subspan(sealed);
    }
    return send_output();
}

Result<void> TlsStream::send_close_notify()
{
    forget_errors();
    if (SSL_shutdown(ssl_.get()) < 0) return explain_failure("sending close_notify");
    return send_output();
}

Result<void> TlsStream::send_output()
{
    const auto sent = socket_.send(scratch_.output());
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

// One shard's working buffers: every connection passes its bytes through them, and none keeps any.
#pragma once

#include <cstddef>
#include <span>

#include "sallyport/crypto/handles.hpp"
#include "sallyport/metrics/figures.hpp"
#include "sallyport/tls/placed_buffer.hpp"

namespace sallyport::tls {

/// What is in them is valid until the next co_await. Thread: the shard's.
///
/// The sizes decide the number of system calls per megabyte (goals.md): large reads from the app, several records in
/// one recv and one send.
class Scratch {
public:
    /// Borrows: where the shard counts its clients' bytes.
    explicit Scratch(metrics::Traffic& traffic) : traffic_{traffic} {}
    Scratch(const Scratch&) = delete; // the BIO points here
    Scratch& operator=(const Scratch&) = delete;

    static constexpr std::size_t kRecordMax = 16 * 1024;
    static constexpr std::size_t kCipherIn = 1024 * 1024;
    /// What kCipherIn decrypts to, and one record that was begun before.
    static constexpr std::size_t kPlain = kCipherIn + kRecordMax;
    /// What kPlain grows to when sealed: an eighth is more than what records of 512 bytes (RFC 6066 §4) add, 29 each in
    /// TLS 1.2; with room for a handshake flight.
    static constexpr std::size_t kCipherOut = kPlain + kPlain / 8 + 16 * 1024;

    /// Ciphertext as it came from the client.
    [[nodiscard]] std::span<std::byte> cipher_in() { return cipher_in_.bytes(); }
    /// Plain text: decrypted from the client, or as it came from the app.
    [[nodiscard]] std::span<std::byte> plain() { return plain_.bytes(); }

    /// What OpenSSL reads next through the BIO, and what is left of it.
    void feed(std::span<const std::byte> input) { input_ = input; }
    [[nodiscard]] std::span<const std::byte> unread() const { return input_; }
    /// What OpenSSL has written through the BIO since the last `clear_output`.
    [[nodiscard]] std::span<const std::byte> output() const { return cipher_out_.bytes().first(written_); }
    void clear_output() { written_ = 0; }

    [[nodiscard]] metrics::Traffic& traffic() { return traffic_; }

    /// What OpenSSL reads and writes through: one for all connections, which keep nothing in it. Made at first use.
    [[nodiscard]] crypto::BioHandle& bio() { return bio_; }
    /// The BIO's two operations: how many bytes were copied.
    [[nodiscard]] std::size_t take_input(std::span<std::byte> into);
    [[nodiscard]] std::size_t put_output(std::span<const std::byte> from);

private:
    metrics::Traffic& traffic_;
    // The kernel copies from and to the beginnings of pages, OpenSSL to and from 8 bytes behind multiples of 16.
    static constexpr std::size_t kInPage = 2048;
    static constexpr std::size_t kPlainInPage = kInPage + 8;

    PlacedBuffer cipher_in_{kCipherIn, kInPage};
    PlacedBuffer plain_{kPlain, kPlainInPage};
    PlacedBuffer cipher_out_{kCipherOut, kInPage};
    std::span<const std::byte> input_;
    std::size_t written_{0};
    crypto::BioHandle bio_;
};

} // namespace sallyport::tls

// What worker and keyholder say to each other: everything that the worker can make the keyholder do.
//
// Two kinds of channel, both SOCK_SEQPACKET, made by the gatekeeper, which keeps no end of them:
//   supply, one per worker: DescribeCertificate, DescribeTickets and Adopt, each answered by one message; and the
//           keyholder's notice Changed, which may come at any time and asks the worker to describe again what it names;
//   sign,   one per shard: Sign, answered by Signature. One request is on the way at a time.
// A message that is not a lawful row (kind, channel, size, shape) ends every channel of that worker: it is compromised.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "sallyport/ipc/codec.hpp"

namespace sallyport::ipc {

enum class KeyMessage : std::uint8_t {
    describe_certificate = 1,
    certificate,
    describe_tickets,
    tickets,
    changed,
    sign,
    signature,
    adopt,
    noted
};

struct DescribeCertificate {
    static constexpr KeyMessage kKind = KeyMessage::describe_certificate;
    std::uint32_t index{};

    template <typename A>
    void fields(A& a)
    {
        a(index);
    }
};

/// The public half, and with `keys: in_worker` the private one.
struct Certificate {
    static constexpr KeyMessage kKind = KeyMessage::certificate;
    std::uint32_t index{};
    std::uint32_t key{};      ///< what Sign names, so that a reload in between signs with the key of this certificate
    std::vector<Bytes> chain; ///< DER, leaf first
    Bytes private_key;        ///< empty; with `keys: in_worker` the key as PKCS#8 DER

    template <typename A>
    void fields(A& a)
    {
        a(index, key, chain, private_key);
    }
};

struct DescribeTickets {
    static constexpr KeyMessage kKind = KeyMessage::describe_tickets;

    template <typename A>
    void fields(A&)
    {
    }
};

/// One session ticket key (RFC 5077 §4: name, AES-256-CBC key, HMAC-SHA-256 key).
struct TicketKey {
    std::array<std::byte, 16> name{};
    std::array<std::byte, 32> aes{};
    std::array<std::byte, 32> hmac{};

    template <typename A>
    void fields(A& a)
    {
        a(name, aes, hmac);
    }
};

/// The keys in force now: the first one encrypts; all decrypt. previous, current and next epoch, current first.
struct Tickets {
    static constexpr KeyMessage kKind = KeyMessage::tickets;
    std::vector<TicketKey> keys;

    template <typename A>
    void fields(A& a)
    {
        a(keys);
    }
};

/// A notice, never answered.
struct Changed {
    static constexpr KeyMessage kKind = KeyMessage::changed;
    bool certificates{};
    bool tickets{};
    std::uint32_t wrong{}; ///< how many sources cannot be used now, so that their pairs in force stay

    template <typename A>
    void fields(A& a)
    {
        a(certificates, tickets, wrong);
    }
};

/// Which keys the worker's handshakes use from now on. Of those that were described to it, the keyholder may let the
/// others go. Answered by Noted.
struct Adopt {
    static constexpr KeyMessage kKind = KeyMessage::adopt;
    std::vector<std::uint32_t> keys; ///< Certificate::key of each

    template <typename A>
    void fields(A& a)
    {
        a(keys);
    }
};

struct Noted {
    static constexpr KeyMessage kKind = KeyMessage::noted;

    template <typename A>
    void fields(A&)
    {
    }
};

/// How to sign. What the key's type and the form of the text do not allow is refused.
enum class SignatureScheme : std::uint8_t {
    rsa_pkcs1_sha256 = 1, ///< PKCS#1 forms: TLS 1.2 only
    rsa_pkcs1_sha384,
    rsa_pkcs1_sha512,
    rsa_pss_sha256,
    rsa_pss_sha384,
    rsa_pss_sha512,
    ecdsa_sha256,
    ecdsa_sha384,
    ecdsa_sha512,
    ed25519
};

/// The full text to be signed, never a digest: TLS 1.3 CertificateVerify content (RFC 8446 §4.4.3) or TLS 1.2
/// ServerKeyExchange parameters (RFC 8422 §5.4).
struct Sign {
    static constexpr KeyMessage kKind = KeyMessage::sign;
    std::uint32_t sequence{};
    std::uint32_t certificate{}; ///< Certificate::key; a key that the keyholder no longer has means its successor
    SignatureScheme scheme{};
    Bytes text;

    template <typename A>
    void fields(A& a)
    {
        a(sequence, certificate, scheme, text);
    }
};

/// An empty signature means "refused"; the reason is in the keyholder's log.
struct Signature {
    static constexpr KeyMessage kKind = KeyMessage::signature;
    std::uint32_t sequence{};
    Bytes signature;

    template <typename A>
    void fields(A& a)
    {
        a(sequence, signature);
    }
};

} // namespace sallyport::ipc

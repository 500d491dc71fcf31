// One source of a pair: its texts read, and what they are as a pair.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sallyport/base/unique_fd.hpp"
#include "sallyport/ipc/control.hpp"

#include "key_pair.hpp"
#include "problem.hpp"
#include "secret_buffer.hpp"

namespace sallyport::keyholder {

/// Where one pair comes from. The descriptors, of texts that travelled, stay open to be read again.
struct Source {
    ipc::CertificateSource description;
    UniqueFd certificate{};
    UniqueFd key{};
    UniqueFd passphrase{};
};

/// The three texts of a source, each in memory that is wiped; `key` only if it is a text of its own.
struct Texts {
    std::optional<SecretBuffer> certificate;
    std::optional<SecretBuffer> key;
    std::optional<SecretBuffer> passphrase;
};

/// Those that can be read; a problem for each other.
[[nodiscard]] Texts read_texts(const Source& source, Problems& problems);

[[nodiscard]] TextsDigest digest_of(const Texts& texts);

/// The pair that is in these texts, or problems for what is wrong with those that could be read. `now` is in seconds
/// since the epoch.
[[nodiscard]] std::optional<KeyPair> pair_of(const Source& source, const Texts& texts, std::int64_t now,
                                             Problems& problems);

/// Why a pair that is_too_early is not used: a sentence for the operator.
[[nodiscard]] std::string too_early(const Source& source, const KeyPair& pair);

/// The key is not in the certificate's text.
[[nodiscard]] bool has_own_key(const ipc::CertificateSource& source);
/// Where the key is, as TextSource::name.
[[nodiscard]] const std::string& key_label(const ipc::CertificateSource& source);

} // namespace sallyport::keyholder

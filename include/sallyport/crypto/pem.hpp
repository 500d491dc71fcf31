// PEM texts: where the blocks are, and the certificates in them.
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::crypto {

using Der = std::vector<std::byte>;

/// One block, from its BEGIN line to its END line. Borrows the text that it was found in.
struct PemBlock {
    std::string_view label; ///< "CERTIFICATE"
    std::string_view text;
};

[[nodiscard]] bool is_certificate(const PemBlock& block);
/// Of any form: PKCS#8, plain or encrypted, or one of the older ones.
[[nodiscard]] bool is_private_key(const PemBlock& block);

/// The blocks in their order; what stands between them is ignored, as OpenSSL does. Copies nothing: the text may hold a
/// secret. Errors: one sentence, if a BEGIN line has no END line (a half-written file).
[[nodiscard]] std::expected<std::vector<PemBlock>, std::string> pem_blocks(std::string_view text);

/// The certificates among the blocks as DER, in their order; each is proven to be one. Errors: one sentence, also if
/// there is none.
[[nodiscard]] std::expected<std::vector<Der>, std::string> certificate_chain(const std::vector<PemBlock>& blocks);

} // namespace sallyport::crypto

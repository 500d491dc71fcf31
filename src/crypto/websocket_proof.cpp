#include "sallyport/crypto/websocket_proof.hpp"

#include <algorithm>
#include <string>

#include <openssl/evp.h>
#include <openssl/sha.h>

#include "sallyport/base/contract.hpp"

namespace sallyport::crypto {

namespace {

constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; // §1.3
constexpr std::size_t kDigits = 22;

bool is_digit(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
}

bool is_key(std::string_view text)
{
    return text.size() == kDigits + 2 && text.ends_with("==") && std::ranges::all_of(text.substr(0, kDigits), is_digit);
}

} // namespace

std::optional<WebSocketProof> websocket_proof(std::string_view key)
{
    if (!is_key(key)) return std::nullopt;
    const std::string text = std::string{key}.append(kGuid);
    std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
    SALLYPORT_ASSERT(EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha1(), nullptr) == 1);
    std::array<unsigned char, WebSocketProof{}.size() + 1> encoded{}; // with its NUL
    SALLYPORT_ASSERT(EVP_EncodeBlock(encoded.data(), digest.data(), digest.size()) == int{WebSocketProof{}.size()});
    WebSocketProof proof{};
    std::copy_n(encoded.begin(), proof.size(), proof.begin());
    return proof;
}

} // namespace sallyport::crypto

#include "chain.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <sha2.h>
#include <sys/random.h>
#include <sys/types.h>

#include "sallyport/base/contract.hpp"

namespace sallyport::log {

namespace {

/// How a seal is written in each format.
struct Form {
    std::string_view chain, seq, hash, end;
};
constexpr Form kJson{R"(,"chain":")", R"(","seq":)", R"(,"hash":")", R"("})"};
constexpr Form kPlain{" chain=", " seq=", " hash=", ""};

const Form& form_of(Format format)
{
    return format == Format::json ? kJson : kPlain;
}

std::string hex(const unsigned char* bytes, std::size_t size)
{
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    for (std::size_t i = 0; i < size; ++i) {
        text += kDigits[bytes[i] >> 4];
        text += kDigits[bytes[i] & 0xF];
    }
    return text;
}

bool is_hex(std::string_view text, std::size_t digits)
{
    return text.size() == digits &&
           std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

void update(SHA2_CTX& context, std::string_view text)
{
    SHA256Update(&context, reinterpret_cast<const uint8_t*>(text.data()), text.size());
}

std::optional<Seal> read_seal(std::string_view line, const Form& form)
{
    if (!line.ends_with(form.end)) return std::nullopt;
    const std::size_t hash = line.rfind(form.hash);
    const std::size_t seq = hash == std::string_view::npos ? hash : line.rfind(form.seq, hash);
    const std::size_t chain = seq == std::string_view::npos ? seq : line.rfind(form.chain, seq);
    if (chain == std::string_view::npos) return std::nullopt;
    const auto between = [&](std::size_t begin, std::string_view mark, std::size_t end) {
        return line.substr(begin + mark.size(), end - begin - mark.size());
    };
    Seal seal{.chain = between(chain, form.chain, seq),
              .seq = 0,
              .hash = between(hash, form.hash, line.size() - form.end.size()),
              .text = line.substr(0, hash)};
    const std::string_view number = between(seq, form.seq, hash);
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), seal.seq);
    const bool is_number = error == std::errc{} && end == number.data() + number.size() && seal.seq > 0;
    if (!is_number || !is_hex(seal.chain, kChainDigits) || !is_hex(seal.hash, kHashDigits)) return std::nullopt;
    return seal;
}

} // namespace

std::string first_hash()
{
    return std::string(kHashDigits, '0');
}

std::string next_hash(std::string_view hash, std::string_view text)
{
    SHA2_CTX context;
    std::array<uint8_t, SHA256_DIGEST_LENGTH> digest{};
    SHA256Init(&context);
    update(context, hash);
    update(context, text);
    SHA256Final(digest.data(), &context);
    return hex(digest.data(), digest.size());
}

void Chain::seal(std::string& text, std::size_t from, Format format)
{
    const Form& form = form_of(format);
    text.resize(text.size() - (format == Format::json ? 2 : 1)); // "}\n" or "\n"
    text.append(form.chain).append(id_).append(form.seq).append(std::to_string(++seq_));
    hash_ = next_hash(hash_, std::string_view{text}.substr(from));
    text.append(form.hash).append(hash_).append(form.end).append("\n");
}

std::optional<Seal> read_seal(std::string_view line)
{
    const std::size_t brace = line.find('{');
    if (brace != std::string_view::npos)
        if (const auto seal = read_seal(line.substr(brace), kJson)) return seal;
    return read_seal(line, kPlain);
}

std::string new_chain()
{
    std::array<unsigned char, kChainDigits / 2> bytes{};
    // So few are never cut short (getrandom(2)).
    SALLYPORT_ASSERT(::getrandom(bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
    return hex(bytes.data(), bytes.size());
}

} // namespace sallyport::log

// PEM files: every block lies within the text, in order, and certificates are read or refused.
#include <string_view>

#include "fuzz_target.hpp"
#include "sallyport/base/contract.hpp"
#include "sallyport/crypto/pem.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const auto blocks = sallyport::crypto::pem_blocks(text);
    if (!blocks) return 0;
    const char* end = text.data();
    for (const sallyport::crypto::PemBlock& block : *blocks) {
        SALLYPORT_ASSERT(block.text.data() >= end && block.text.data() + block.text.size() <= text.data() + size);
        end = block.text.data() + block.text.size();
    }
    static_cast<void>(sallyport::crypto::certificate_chain(*blocks));
    return 0;
}

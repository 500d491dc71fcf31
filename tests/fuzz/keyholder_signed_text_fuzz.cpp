// Texts that a worker asks to have signed: what is accepted is never longer than the longest lawful one.
#include <span>

#include "fuzz_target.hpp"
#include "keyholder/signed_text.hpp"
#include "sallyport/base/contract.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const auto form = sallyport::keyholder::form_of(std::as_bytes(std::span{data, size}));
    if (form)
        SALLYPORT_ASSERT(size <= sallyport::keyholder::kSignedTextMax);
    else
        SALLYPORT_ASSERT(!form.error().empty());
    return 0;
}

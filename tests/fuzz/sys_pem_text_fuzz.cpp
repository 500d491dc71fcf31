// PEM texts as people put them into a variable: the result fits its room, and normalising it again changes nothing, but
// for a backslash that is left over ("\\\rn" becomes "\n"), which no PEM has.
#include <string>
#include <string_view>

#include "fuzz_target.hpp"
#include "sallyport/base/contract.hpp"
#include "sallyport/sys/pem_text.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using sallyport::sys::PemValue;
    const std::string value{reinterpret_cast<const char*>(data), size};
    sallyport::sys::SecretText once{value.size() + 1};
    if (sallyport::sys::normalise_pem(value, once) != PemValue::pem) return 0;
    SALLYPORT_ASSERT(once.view().size() <= value.size() + 1);
    sallyport::sys::SecretText twice{once.view().size() + 1};
    SALLYPORT_ASSERT(sallyport::sys::normalise_pem(once.view(), twice) == PemValue::pem);
    if (once.view().find('\\') == std::string_view::npos) SALLYPORT_ASSERT(once.view() == twice.view());
    return 0;
}

#include "sallyport/base/contract.hpp"

#include <cstdio>
#include <cstdlib>

namespace sallyport {

void contract_broken(const char* expression, const char* file, int line) noexcept
{
    std::fprintf(stderr, "sallyport: broken contract: %s (%s:%d)\n", expression, file, line);
    std::abort();
}

} // namespace sallyport

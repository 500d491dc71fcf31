#include "sallyport/base/build.hpp"

namespace sallyport {

std::string_view version()
{
    return SALLYPORT_VERSION;
}

std::string_view build_id()
{
    return SALLYPORT_VERSION "+" SALLYPORT_REVISION;
}

} // namespace sallyport

#include "sallyport/base/result.hpp"

#include <cerrno>

namespace sallyport {

std::error_code last_errno()
{
    return {errno, std::system_category()};
}

std::unexpected<Error> fail_errno(std::string_view doing)
{
    return fail(Fault::internal, Side::self, doing, last_errno());
}

std::string_view name(Fault fault)
{
    switch (fault) {
    case Fault::timeout:
        return "timeout";
    case Fault::refused:
        return "refused";
    case Fault::reset:
        return "reset";
    case Fault::truncated:
        return "truncated";
    case Fault::malformed:
        return "malformed";
    case Fault::forbidden:
        return "forbidden";
    case Fault::no_route:
        return "no_route";
    case Fault::over_limit:
        return "over_limit";
    case Fault::aborted:
        return "aborted";
    case Fault::internal:
        return "internal";
    }
    return "internal";
}

std::string_view name(Side side)
{
    switch (side) {
    case Side::client:
        return "client";
    case Side::upstream:
        return "upstream";
    case Side::self:
        return "self";
    }
    return "self";
}

} // namespace sallyport

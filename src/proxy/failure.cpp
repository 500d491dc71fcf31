#include "failure.hpp"

namespace sallyport::proxy {

namespace {

using site::Reason;

Reason of_app(Fault fault, bool connecting, bool responding)
{
    switch (fault) {
    case Fault::timeout:
        return connecting ? Reason::app_connect_timeout : Reason::app_reset;
    case Fault::no_route:
        return Reason::app_unresolved;
    case Fault::refused:
        return Reason::app_refused;
    case Fault::reset:
        return responding ? Reason::app_truncated : Reason::app_reset;
    case Fault::truncated:
        return responding ? Reason::app_truncated : Reason::app_closed;
    case Fault::malformed:
        return responding ? Reason::app_truncated : Reason::app_malformed;
    default:
        return connecting ? Reason::app_unreachable : Reason::app_reset;
    }
}

Reason of_self(Fault fault)
{
    if (fault == Fault::over_limit) return Reason::over_limit;
    return fault == Fault::aborted ? Reason::cut : Reason::internal_error;
}

} // namespace

Reason reason_of(const Error& error, const Exchange& x)
{
    switch (error.side) {
    case Side::client:
        return error.fault == Fault::malformed ? Reason::client_malformed : Reason::client_left;
    case Side::upstream:
        return of_app(error.fault, x.phase() == Phase::connect, x.account.status != 0);
    case Side::self:
        break;
    }
    return of_self(error.fault);
}

} // namespace sallyport::proxy

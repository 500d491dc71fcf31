#include "sallyport/site/misdirected.hpp"

#include "lower.hpp"

namespace sallyport::site {

bool may_be_misdirected(std::string_view sni, std::string_view host)
{
    if (sni == host) return false;                  // as nearly always
    if (host.ends_with('.')) host.remove_suffix(1); // as SNI has none (RFC 6066 §3)
    return !sni.empty() && !std::ranges::equal(sni, host, {}, lower, lower);
}

} // namespace sallyport::site

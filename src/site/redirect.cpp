#include "sallyport/site/redirect.hpp"

namespace sallyport::site {

namespace {

constexpr std::uint16_t kHttps = 443;

} // namespace

bool append_location(std::string& out, const http::RequestHead& head, std::uint16_t port)
{
    if (head.host.empty()) return false;
    out.append("https://").append(head.host);
    if (port != kHttps) out.append(":").append(std::to_string(port));
    // "*" asks about the server itself, which has no address of its own.
    if (!head.path.starts_with('/')) out.append("/");
    if (head.path != "*") out.append(head.path);
    return true;
}

} // namespace sallyport::site

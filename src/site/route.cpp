#include "sallyport/site/route.hpp"

#include "lower.hpp"

namespace sallyport::site {

namespace {

std::string_view without_final_dot(std::string_view host)
{
    if (host.ends_with('.')) host.remove_suffix(1);
    return host;
}

} // namespace

HostPattern::HostPattern(std::string_view text)
    : name_{in_lower_case(without_final_dot(text))}, wildcard_{name_.starts_with("*.")}
{
    if (wildcard_) name_.erase(0, 1);
}

bool HostPattern::matches(std::string_view host) const
{
    host = without_final_dot(host);
    if (!wildcard_) return is_in_lower_case(host, name_);
    const std::size_t label = host.find('.');
    return label != 0 && label != std::string_view::npos && is_in_lower_case(host.substr(label), name_);
}

MethodSet::MethodSet(std::vector<std::string> names) : names_{std::move(names)}
{
    if (std::ranges::find(names_, "GET") != names_.end()) names_.emplace_back("HEAD");
}

bool MethodSet::contains(const http::RequestHead& head) const
{
    return names_.empty() || std::ranges::find(names_, head.method_text) != names_.end();
}

std::string_view text(Unrouted why)
{
    return why == Unrouted::no_route ? "no route" : "ambiguous path";
}

} // namespace sallyport::site

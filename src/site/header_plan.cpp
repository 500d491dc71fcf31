#include "sallyport/site/header_plan.hpp"

#include <algorithm>
#include <utility>

namespace sallyport::site {

namespace {

using http::FieldName;

constexpr std::string_view kHsts = "Strict-Transport-Security";

/// What we alone say, or nobody (RFC 9440 §2.4): certificates of clients.
constexpr http::FieldSet kOurs{FieldName::client_cert, FieldName::client_cert_chain, FieldName::x_forwarded_client_cert,
                               FieldName::x_request_id};

bool names(const http::NameSet& set, std::string_view name)
{
    return set.contains({name, {}, http::field_name(name)});
}

/// The rules of a route over those of its listener: what the route sets or removes, the listener does not add.
struct Rules {
    http::NameSet removed; ///< what is set, too
    std::vector<ipc::HeaderLine> added;

    Rules(const ipc::HeaderRules& listener, const ipc::HeaderRules& route)
    {
        http::NameSet overridden;
        for (const ipc::HeaderLine& line : route.set)
            overridden.insert(line.name);
        for (const std::string& name : route.remove)
            overridden.insert(name);
        for (const ipc::HeaderRules* rules : {&listener, &route}) {
            const auto add = [&](const ipc::HeaderLine& line) {
                if (rules == &route || !names(overridden, line.name)) added.push_back(line);
            };
            std::ranges::for_each(rules->set, add);
            std::ranges::for_each(rules->add, add);
            for (const ipc::HeaderLine& line : rules->set)
                removed.insert(line.name);
            for (const std::string& name : rules->remove)
                removed.insert(name);
        }
    }
};

std::vector<http::Line> lines_of(const std::vector<ipc::HeaderLine>& texts)
{
    std::vector<http::Line> lines;
    for (const ipc::HeaderLine& text : texts)
        lines.push_back({text.name, text.value});
    return lines;
}

} // namespace

void HeaderPlan::prepare(const ipc::SiteSettings& site, const ipc::HeaderRules& request,
                         const ipc::HeaderRules& response, bool tls)
{
    tls_ = tls;
    prepare_request(site, request);
    prepare_response(site, response);
}

void HeaderPlan::prepare_request(const ipc::SiteSettings& site, const ipc::HeaderRules& route)
{
    Rules rules{site.request, route};
    const auto is_ours = [&](FieldName name) { return !names(rules.removed, http::text(name)); };
    const bool old_form =
        site.forwarded == ipc::ForwardedForm::x_forwarded || site.forwarded == ipc::ForwardedForm::both;
    const bool new_form = site.forwarded == ipc::ForwardedForm::rfc7239 || site.forwarded == ipc::ForwardedForm::both;
    own_.x_forwarded_for = old_form && is_ours(FieldName::x_forwarded_for);
    own_.x_forwarded_proto = old_form && is_ours(FieldName::x_forwarded_proto);
    own_.x_forwarded_host = old_form && is_ours(FieldName::x_forwarded_host);
    own_.x_forwarded_port = old_form && is_ours(FieldName::x_forwarded_port);
    own_.forwarded = new_form && is_ours(FieldName::forwarded);
    own_.request_id = is_ours(FieldName::x_request_id);

    removed_ = removed_trusted_ = rules.removed;
    removed_.insert(http::kOfProxies | kOurs);
    removed_trusted_.insert(kOurs);
    // What is written anew, with what the proxy said in front.
    if (own_.x_forwarded_for) removed_trusted_.insert(http::FieldSet{FieldName::x_forwarded_for});
    if (own_.forwarded) removed_trusted_.insert(http::FieldSet{FieldName::forwarded});
    added_texts_ = std::move(rules.added);
    added_ = lines_of(added_texts_);
}

void HeaderPlan::prepare_response(const ipc::SiteSettings& site, const ipc::HeaderRules& route)
{
    Rules rules{site.response, route};
    if (tls_ && !site.hsts.empty() && !names(rules.removed, kHsts)) {
        rules.removed.insert(kHsts);
        rules.added.push_back({std::string{kHsts}, site.hsts});
    }
    response_removed_ = std::move(rules.removed);
    response_added_texts_ = std::move(rules.added);
    response_added_ = lines_of(response_added_texts_);
}

} // namespace sallyport::site

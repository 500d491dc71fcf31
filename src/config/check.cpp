#include "check.hpp"

#include <algorithm>
#include <initializer_list>

#include "addresses.hpp"
#include "check_site.hpp"
#include "kinds.hpp"

namespace sallyport::config {

namespace {

void check_certificate(const Node& node, Given given, const Certificate& certificate, Mistakes& mistakes)
{
    const Node* cert = node.find("cert");
    if (cert == nullptr || cert->form != Node::Form::scalar || cert->text != kPairInEnvironment) return;
    if (!given.pem_in_environment)
        mistakes.report(cert->at, "SALLYPORT_CERT and SALLYPORT_KEY hold no PEM texts");
    else if (!certificate.key.empty() && certificate.key != kKeyInEnvironment)
        mistakes.report(place_of(node, "key"), "the key is the one in SALLYPORT_KEY: leave 'key' out");
}

void check_certificates(const Node& node, Given given, const Listener& listener, Mistakes& mistakes)
{
    const Node* tls = node.find("tls");
    const Node* certificates = tls == nullptr ? nullptr : tls->find("certificates");
    const Node* self_signed = tls == nullptr ? nullptr : tls->find("self_signed");
    if (is_given(certificates) && is_given(self_signed))
        mistakes.report(self_signed->at, "'self_signed' contradicts 'certificates': give one of the two");
    const bool is_plaintext = tls == nullptr && listener.mode == Mode::http;
    if (!is_given(certificates) && !is_given(self_signed) && !is_plaintext)
        mistakes.report(tls == nullptr ? node.at : tls->at,
                        "this listener has no certificate: give --cert and --key (SALLYPORT_CERT, SALLYPORT_KEY), or "
                        "tls.certificates in the file, or --self-signed for one that is made at start");
    for (std::size_t i = 0; i < listener.tls.certificates.size(); ++i)
        check_certificate(certificates->items[i], given, listener.tls.certificates[i], mistakes);
}

void check_socket_mode(const Node& node, const Listener& listener, Mistakes& mistakes)
{
    if (node.find("socket_mode") != nullptr && !listener.bind.text.empty() && !is_in_file_system(listener.bind))
        mistakes.report(place_of(node, "socket_mode"), "'socket_mode' is for a bind such as unix:/run/x.sock");
}

void check_proxy_protocol(const Node& node, const Listener& listener, Mistakes& mistakes)
{
    const Node* written = node.find("proxy_protocol");
    if (written == nullptr || written->form != Node::Form::mapping) return;
    const Node* trusted = written->find("trusted");
    const bool is_on = listener.proxy_protocol.mode != ProxyHeader::none;
    if (is_on && listener.proxy_protocol.trusted.empty() && !is_given(trusted))
        mistakes.report(written->at, "'trusted' is missing: name the networks of the load balancers that send PROXY "
                                     "headers, such as [10.0.0.0/8], or [unix]; others could claim any address");
    if (is_given(trusted) && written->find("mode") == nullptr)
        mistakes.report(written->at, "'mode' is missing: add 'mode: required', or 'mode: optional' if some connections "
                                     "come without a header");
}

void check_sent_proxy_protocol(const Node& root, const Config& config, Mistakes& mistakes)
{
    const Node* upstreams = root.find("upstreams");
    for (const auto& [name, upstream] : config.upstreams)
        if (upstream.send_proxy_protocol != SentProxyHeader::none && upstream.address.protocol == Protocol::h2c)
            mistakes.report(place_of(*upstreams->find(name), "send_proxy_protocol"),
                            "'send_proxy_protocol' contradicts h2c://, whose connections carry the requests of many "
                            "clients: leave it out (X-Forwarded-For tells of each), or speak HTTP/1.1 to the app");
}

void check_app(const Node& root, const Config& config, Mistakes& mistakes)
{
    if (config.app.upstream.empty() || config.upstreams.empty() || config.upstreams.contains(config.app.upstream))
        return;
    std::vector<std::string_view> names;
    for (const auto& [name, upstream] : config.upstreams)
        names.push_back(name);
    const std::string meant = suggestion(config.app.upstream, names);
    mistakes.report(place_of(*root.find("app"), "upstream"), "there is no upstream " + quote(config.app.upstream) +
                                                                 (meant.empty() ? ": there is " + join(names) : meant));
}

void check_dns(const Node& root, const Config& config, Mistakes& mistakes)
{
    if (config.dns.min_ttl <= config.dns.max_ttl) return;
    const Node* dns = root.find("dns");
    mistakes.report(dns == nullptr ? root.at : place_of(*dns, "min_ttl"),
                    "'min_ttl' is longer than 'max_ttl' (" + print_duration(config.dns.max_ttl) + ")");
}

void check_sandbox(const Node& root, const Config& config, Mistakes& mistakes)
{
    if (config.sandbox.level != SandboxLevel::required || config.sandbox.seccomp == Seccomp::enforce) return;
    const Node* sandbox = root.find("sandbox");
    mistakes.report(sandbox == nullptr ? root.at : place_of(*sandbox, "seccomp"),
                    "'seccomp' contradicts the level 'required': leave it at 'enforce'");
}

/// The place of what is written at the path, or of the mapping that is nearest to it.
const Place& place_at(const Node& root, std::initializer_list<std::string_view> path)
{
    const Node* node = &root;
    for (const std::string_view key : path) {
        const Node* const inside = node->form == Node::Form::mapping ? node->find(key) : nullptr;
        if (inside == nullptr) break;
        node = inside;
    }
    return node->at;
}

void check_drain(const Node& root, const Config& config, Mistakes& mistakes)
{
    if (!config.drain.delay || *config.drain.delay < config.drain.timeout) return;
    mistakes.report(place_at(root, {"drain", "delay"}),
                    "'delay' must be shorter than 'timeout', which counts from the signal as well and is " +
                        print_duration(config.drain.timeout));
}

bool is_alphanumeric(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

void check_limits(const Node& root, const Config& config, Mistakes& mistakes)
{
    const HttpLimits& http = config.limits.http;
    if (http.max_uri_size >= http.max_header_size)
        mistakes.report(place_at(root, {"limits", "http", "max_header_size"}),
                        "'max_header_size' must be above 'max_uri_size', which is " + print_size(http.max_uri_size) +
                            ": the address is a part of the head");
    const Http2Limits& http2 = config.limits.http2;
    if (http2.connection_window < http2.stream_window)
        mistakes.report(place_at(root, {"limits", "http2", "connection_window"}),
                        "'connection_window' must not be below 'stream_window', which is " +
                            print_size(http2.stream_window));
}

/// RFC 9110 §5.6.2.
bool is_field_name(std::string_view text)
{
    constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
    return std::ranges::all_of(text, [&](char c) { return is_alphanumeric(c) || kMarks.find(c) != kMarks.npos; });
}

void check_access_log(const Node& root, const Config& config, Mistakes& mistakes)
{
    const AccessLog& access = config.log.access;
    for (const std::string& name : access.headers)
        if (!is_field_name(name))
            mistakes.report(place_at(root, {"log", "access", "headers"}), quote(name) + " is not the name of a field");
    for (const std::string& name : access.redact)
        if (std::ranges::none_of(name, is_alphanumeric))
            mistakes.report(place_at(root, {"log", "access", "redact"}), quote(name) + " has no letter and no digit");
    // Text lines have a form that others know: there is no place in them for another field.
    if (!access.headers.empty() && access.format != AccessFormat::structured)
        mistakes.report(place_at(root, {"log", "access", "headers"}),
                        "'headers' contradicts the format, which has no place for them: leave it out, or choose "
                        "structured");
}

void check_duplicates(const Node& nodes, const std::vector<Listener>& listeners, Mistakes& mistakes)
{
    for (std::size_t later = 1; later < listeners.size(); ++later) {
        for (std::size_t first = 0; first < later; ++first) {
            const Bind& bind = listeners[later].bind;
            // Without a text it could not be read, which was reported.
            if (bind.text.empty() || !is_same_place(listeners[first].bind, bind)) continue;
            const Place& other = place_of(nodes.items[first], "bind");
            const std::string where = other.line > 0 ? " on line " + std::to_string(other.line) : " by " + other.source;
            mistakes.report(place_of(nodes.items[later], "bind"),
                            quote(bind.text) + " is taken by another listener" + where);
            break;
        }
    }
}

void check_presence(const Node& root, Given given, Mistakes& mistakes)
{
    if (!given.anything) {
        mistakes.report(root.at, "there is none: give --to 7766 with --cert and --key or --self-signed, or name a file "
                                 "by --config (the same by SALLYPORT_TO …, SALLYPORT_CONFIG)");
        return;
    }
    const Node* listeners = root.find("listeners");
    const Node* upstreams = root.find("upstreams");
    if (listeners == nullptr || (listeners->form == Node::Form::list && listeners->items.empty()))
        mistakes.report(place_of(root, "listeners"), "there is nothing to listen on: add 'listeners', or give --to");
    if (upstreams == nullptr || (upstreams->form == Node::Form::mapping && upstreams->items.empty()))
        mistakes.report(place_of(root, "upstreams"), "there is no app to forward to: add 'upstreams', or give --to");
}

} // namespace

void check(const Node& root, Given given, Config& config, Mistakes& mistakes)
{
    if (root.form != Node::Form::mapping && root.form != Node::Form::null) return; // reported when it was read
    check_presence(root, given, mistakes);
    check_sandbox(root, config, mistakes);
    check_dns(root, config, mistakes);
    check_sent_proxy_protocol(root, config, mistakes);
    check_app(root, config, mistakes);
    check_drain(root, config, mistakes);
    check_limits(root, config, mistakes);
    check_access_log(root, config, mistakes);
    if (config.listeners.empty()) return;
    const Node& nodes = *root.find("listeners");
    for (std::size_t i = 0; i < config.listeners.size(); ++i) {
        const Node& node = nodes.items[i];
        if (node.form != Node::Form::mapping) continue;
        Listener& listener = config.listeners[i];
        check_site(node, config, listener, mistakes);
        check_certificates(node, given, listener, mistakes);
        check_socket_mode(node, listener, mistakes);
        check_proxy_protocol(node, listener, mistakes);
    }
    check_duplicates(nodes, config.listeners, mistakes);
}

} // namespace sallyport::config

#include "check.hpp"

#include "addresses.hpp"

namespace sallyport::config {

namespace {

/// The place of a key, or of the mapping if the key is left out.
const Place& place_of(const Node& mapping, std::string_view key)
{
    const Node* value = mapping.find(key);
    return value == nullptr ? mapping.at : value->at;
}

void check_forward(const Node& node, const Config& config, Listener& listener, Mistakes& mistakes)
{
    std::vector<std::string_view> names;
    for (const auto& [name, upstream] : config.upstreams)
        names.push_back(name);
    const Node* written = node.find("forward");
    if (names.empty() || (written != nullptr && listener.forward.empty() && !written->text.empty()))
        return; // reported elsewhere
    if (listener.forward.empty() && names.size() == 1) {
        listener.forward = names.front();
    } else if (listener.forward.empty()) {
        mistakes.report(node.at, "'forward' is missing: name one of the upstreams " + join(names));
    } else if (!config.upstreams.contains(listener.forward)) {
        const std::string meant = suggestion(listener.forward, names);
        mistakes.report(place_of(node, "forward"), "there is no upstream " + quote(written->written) +
                                                       (meant.empty() ? ": there is " + join(names) : meant));
    }
}

void check_certificate(const Node& node, Given given, const Certificate& certificate, Mistakes& mistakes)
{
    const Node* cert = node.find("cert");
    if (cert == nullptr || cert->form != Node::Form::scalar || cert->text != kPairInEnvironment) return;
    if (!given.pem_in_environment)
        mistakes.report(cert->at, "SALLYPORT_CERT and SALLYPORT_KEY hold no PEM texts");
    else if (!certificate.key.empty() && certificate.key != kKeyInEnvironment)
        mistakes.report(place_of(node, "key"), "the key is the one in SALLYPORT_KEY: leave 'key' out");
}

/// Whether the key says anything: an empty list, an empty text and `false` do not.
bool is_given(const Node* value)
{
    if (value == nullptr || value->form == Node::Form::null) return false;
    if (value->form == Node::Form::list) return !value->items.empty();
    return value->form != Node::Form::scalar || (!value->text.empty() && value->text != "false");
}

void check_certificates(const Node& node, Given given, const Listener& listener, Mistakes& mistakes)
{
    const Node* tls = node.find("tls");
    const Node* certificates = tls == nullptr ? nullptr : tls->find("certificates");
    const Node* self_signed = tls == nullptr ? nullptr : tls->find("self_signed");
    if (is_given(certificates) && is_given(self_signed))
        mistakes.report(self_signed->at, "'self_signed' contradicts 'certificates': give one of the two");
    if (!is_given(certificates) && !is_given(self_signed))
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

void check_sandbox(const Node& root, const Config& config, Mistakes& mistakes)
{
    if (config.sandbox.level != SandboxLevel::required || config.sandbox.seccomp == Seccomp::enforce) return;
    const Node* sandbox = root.find("sandbox");
    mistakes.report(sandbox == nullptr ? root.at : place_of(*sandbox, "seccomp"),
                    "'seccomp' contradicts the level 'required': leave it at 'enforce'");
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
    check_app(root, config, mistakes);
    if (config.listeners.empty()) return;
    const Node& nodes = *root.find("listeners");
    for (std::size_t i = 0; i < config.listeners.size(); ++i) {
        const Node& node = nodes.items[i];
        if (node.form != Node::Form::mapping) continue;
        Listener& listener = config.listeners[i];
        check_forward(node, config, listener, mistakes);
        check_certificates(node, given, listener, mistakes);
        check_socket_mode(node, listener, mistakes);
    }
    check_duplicates(nodes, config.listeners, mistakes);
}

} // namespace sallyport::config

// The second half of settings.hpp: the settings laid over the tree of the file.
#include <algorithm>
#include <array>

#include "schema.hpp"
#include "settings.hpp"

namespace sallyport::config {

namespace {

constexpr std::string_view kDefaultUpstream = "app";
// Those that speak of a listener: with one of them and no listener in the file, there is to be one.
constexpr std::array<std::string_view, 4> kOfListener{"listen", "to", "cert", "self-signed"};
// Those that are set together, or in one place only.
constexpr std::array<std::string_view, 4> kOfCertificate{"cert", "key", "passphrase", "self-signed"};

bool is_absent(const Node* node)
{
    const auto is_container = [&] { return node->form == Node::Form::list || node->form == Node::Form::mapping; };
    return node == nullptr || node->form == Node::Form::null || (is_container() && node->items.empty());
}

Node value_of(const Setting& setting)
{
    return string_node(setting.value, setting.at);
}

void add_listener(const Settings& settings, Node& root)
{
    const auto is_given = [&](std::string_view flag) { return settings.find(flag) != nullptr; };
    if (!is_absent(root.find("listeners")) || std::ranges::none_of(kOfListener, is_given)) return;
    const Setting* first = settings.find(*std::ranges::find_if(kOfListener, is_given));
    Node listener = mapping_node();
    listener.at = first->at;
    listener.put("bind", string_node(kDefaultBind, first->at));
    // Asked for, so that a forgotten certificate does not make it plaintext.
    listener.put("tls", mapping_node()).at = first->at;
    root.put("listeners", list_node({std::move(listener)}));
}

void add_upstream(const Settings& settings, Node& root)
{
    const Setting* to = settings.find("to");
    if (to == nullptr || !is_absent(root.find("upstreams"))) return;
    Node upstream = mapping_node();
    upstream.at = to->at;
    Node upstreams = mapping_node();
    upstreams.put(kDefaultUpstream, std::move(upstream));
    root.put("upstreams", std::move(upstreams));
}

/// Sets the key at the path in every mapping on the way; makes mappings that are not there. What has a wrong form is
/// left as it is: reading it will report that.
void set_at(Node& node, const std::vector<Key>& keys, std::string_view path, const Node& value)
{
    if (node.form != Node::Form::mapping && node.form != Node::Form::null) return;
    const std::size_t dot = path.find('.');
    const std::string_view head = path.substr(0, dot);
    if (dot == std::string_view::npos) {
        node.put(head, value);
        return;
    }
    const auto key = std::ranges::find(keys, head, &Key::name);
    const std::string_view rest = path.substr(dot + 1);
    Node* inside = node.find(head);
    if (inside == nullptr && key->holds == Holds::mapping) inside = &node.put(head, mapping_node());
    if (inside == nullptr) return;
    if (key->holds == Holds::mapping) return set_at(*inside, key->inside, rest, value);
    for (Node& item : inside->items)
        set_at(item, key->inside, rest, value);
}

/// A setting of the only listener or upstream: with several it is not clear which one is meant.
bool is_clear(const Setting& setting, const Node& root, Mistakes& mistakes)
{
    const std::string_view top = setting.flag->path.substr(0, setting.flag->path.find('.'));
    const bool is_of_one = setting.flag->name == "listen" || setting.flag->name == "to";
    const Node* several = root.find(top);
    if (!is_of_one || several == nullptr || several->items.size() <= 1) return true;
    mistakes.report(setting.at, "is not clear: the configuration has " + std::to_string(several->items.size()) + " " +
                                    std::string{top} + "; change it there");
    return false;
}

Node certificates_of(const Settings& settings)
{
    Node pair = mapping_node();
    for (const Setting& setting : settings.all()) {
        const std::string_view path = setting.flag->path;
        if (path.starts_with("listeners.tls.certificates."))
            pair.put(path.substr(path.rfind('.') + 1), value_of(setting));
    }
    pair.at = settings.find("cert")->at;
    return list_node({std::move(pair)});
}

/// "true", or "a.example,b.example" as a list.
Node names_of(const Setting& setting)
{
    if (setting.value.empty() || setting.value == "true") return string_node("true", setting.at);
    Node names = list_node();
    names.at = setting.at;
    std::string_view rest = setting.value;
    for (;;) {
        const std::size_t comma = std::min(rest.find(','), rest.size());
        names.items.push_back(string_node(rest.substr(0, comma), setting.at));
        if (comma == rest.size()) return names;
        rest.remove_prefix(comma + 1);
    }
}

/// The certificates, or the names of a self-signed one, of every listener that is to have some: of those with `tls`,
/// or, if none has it, of all that do not redirect to one that has.
void set_certificates(const Settings& settings, Node& root)
{
    const Setting* made = settings.find("self-signed");
    if (made == nullptr && settings.find("cert") == nullptr) return;
    Node* listeners = root.find("listeners");
    if (listeners == nullptr || listeners->form != Node::Form::list) return;
    const auto has = [](std::string_view key) {
        return [key](const Node& listener) { return listener.find(key) != nullptr; };
    };
    const bool some_have_tls = std::ranges::any_of(listeners->items, has("tls"));
    for (Node& listener : listeners->items) {
        if (some_have_tls ? !has("tls")(listener) : has("redirect")(listener)) continue;
        if (Node* tls = listener.find("tls")) {
            tls->erase("certificates");
            tls->erase("self_signed");
        }
        set_at(listener, key_at("listeners").inside, made != nullptr ? "tls.self_signed" : "tls.certificates",
               made != nullptr ? names_of(*made) : certificates_of(settings));
    }
}

} // namespace

void apply_settings(const Settings& settings, Node& root, Mistakes& mistakes)
{
    if (settings.empty() || (root.form != Node::Form::mapping && root.form != Node::Form::null)) return;
    add_listener(settings, root);
    add_upstream(settings, root);
    for (const Setting& setting : settings.all()) {
        if (std::ranges::find(kOfCertificate, setting.flag->name) != kOfCertificate.end()) continue;
        if (is_clear(setting, root, mistakes)) set_at(root, schema_keys(), setting.flag->path, value_of(setting));
    }
    set_certificates(settings, root);
}

} // namespace sallyport::config

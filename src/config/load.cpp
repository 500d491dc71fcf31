#include "sallyport/config/load.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "check.hpp"
#include "expand.hpp"
#include "flags.hpp"
#include "json.hpp"
#include "row.hpp"
#include "schema.hpp"
#include "settings.hpp"
#include "yaml.hpp"

namespace sallyport::config {

namespace {

/// The text of the configuration, and what to call its source.
struct Document {
    std::string source;
    std::string text;
};

std::optional<Document> read_file(const std::string& path, Mistakes& mistakes)
{
    std::error_code error;
    if (std::filesystem::is_directory(path, error)) {
        mistakes.report(Place{path}, "this is a directory: name the file in it");
        return std::nullopt;
    }
    errno = 0;
    std::ifstream file{path, std::ios::binary};
    Document document{path, {}};
    std::array<char, 4096> part; // NOLINT(cppcoreguidelines-pro-type-member-init): filled by read
    // One byte more than can be read as YAML is enough to see that a file is too large.
    while (file && document.text.size() <= kTextMax) {
        file.read(part.data(), part.size());
        document.text.append(part.data(), static_cast<std::size_t>(file.gcount()));
    }
    if (!file.is_open() || file.bad()) {
        mistakes.report(Place{path}, "cannot be read: " + std::generic_category().message(errno));
        return std::nullopt;
    }
    return document;
}

/// The one document there is to read; an empty one if there is none. Nothing after a mistake.
std::optional<Document> find_document(const Sources& sources, Given& given, Mistakes& mistakes)
{
    const auto variable = [&](std::string_view name) {
        const auto value = sources.environment ? sources.environment(name) : std::nullopt;
        return value && !value->empty() ? value : std::nullopt;
    };
    const auto path = sources.path ? sources.path : variable(kConfigFileVariable);
    const auto text = sources.path ? std::nullopt : variable(kConfigVariable);
    given.anything = true;
    if (path && text) {
        mistakes.report(Place{std::string{kConfigFileVariable}}, "contradicts SALLYPORT_CONFIG: give one of the two");
        return std::nullopt;
    }
    if (path) return read_file(*path, mistakes);
    if (text) return Document{std::string{kConfigVariable}, *text};
    std::error_code error;
    if (std::filesystem::exists(sources.default_path, error)) return read_file(sources.default_path, mistakes);
    given.anything = false;
    return Document{"configuration", {}};
}

std::optional<Node> read_document(const Sources& sources, Given& given, Mistakes& mistakes)
{
    const auto document = find_document(sources, given, mistakes);
    if (!document) return std::nullopt;
    auto root = read_yaml(document->text, document->source, mistakes);
    if (!root) return std::nullopt;
    if (!given.anything) root->at = Place{document->source};
    expand_all(*root, sources.environment, mistakes);
    return root;
}

void escape_all(Node& node)
{
    for (Node& item : node.items)
        escape_all(item);
    node.text = escape(node.text);
}

} // namespace

bool is_given(const Sources& sources)
{
    Mistakes ignored;
    Given given{.pem_in_environment = sources.pem_in_environment};
    static_cast<void>(find_document(sources, given, ignored));
    return given.anything || !gather_settings(sources, ignored).empty();
}

std::expected<Config, std::vector<Diagnostic>> load(const Sources& sources)
{
    Mistakes mistakes;
    Given given{.pem_in_environment = sources.pem_in_environment};
    std::optional<Node> root = read_document(sources, given, mistakes);
    const Settings settings = gather_settings(sources, mistakes);
    if (!root) return std::unexpected{mistakes.take()};

    given.anything = given.anything || !settings.empty();
    apply_settings(settings, *root, mistakes);
    Config config;
    read_mapping(*root, "the configuration", schema(), config, mistakes);
    check(*root, given, config, mistakes);
    if (mistakes.any()) return std::unexpected{mistakes.take()};
    return config;
}

std::expected<AdminPlace, std::vector<Diagnostic>> find_admin(const Sources& sources)
{
    Mistakes ignored;
    Mistakes mistakes;
    Given given{.pem_in_environment = sources.pem_in_environment};
    const Settings settings = gather_settings(sources, ignored);
    std::optional<Node> root = mapping_node();
    if (settings.find("admin") == nullptr) root = read_document(sources, given, mistakes);
    if (!root) return std::unexpected{mistakes.take()};
    apply_settings(settings, *root, ignored);
    Config config;
    read_mapping(*root, "the configuration", schema(), config, ignored);
    if (config.listeners.empty()) config.listeners.emplace_back().bind.text = kDefaultBind;
    const bool is_made = config.admin.bind.kind == AdminBind::Kind::automatic;
    return AdminPlace{.address = admin_address(config),
                      .timeout = config.admin.timeout,
                      .uid = config.user.uid,
                      .may_be_outdated = is_made && given.anything && settings.find("listen") == nullptr};
}

std::string print(const Config& config)
{
    Node node = write_mapping(schema(), config);
    escape_all(node);
    return write_yaml(node);
}

std::string json_schema()
{
    Node node = mapping_node();
    node.put("$schema", string_node("https://json-schema.org/draft/2020-12/schema"));
    node.put("title", string_node("The configuration of Sallyport"));
    const Node keys = mapping_schema(schema_keys());
    for (std::size_t i = 0; i < keys.items.size(); ++i)
        node.put(keys.keys[i].text, keys.items[i]);
    return write_json(node);
}

void read_environment(const char* const* block, Sources& sources)
{
    for (const char* const* entry = block; *entry != nullptr; ++entry) {
        const std::string_view line{*entry};
        sources.environment_names.emplace_back(line.substr(0, line.find('=')));
    }
    sources.environment = [block](std::string_view name) -> std::optional<std::string> {
        for (const char* const* entry = block; *entry != nullptr; ++entry) {
            const std::string_view line{*entry};
            if (line.size() > name.size() && line[name.size()] == '=' && line.starts_with(name))
                return std::string{line.substr(name.size() + 1)};
        }
        return std::nullopt;
    };
}

} // namespace sallyport::config

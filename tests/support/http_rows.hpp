// The rows of tests/http/*/*.yaml for the C++ tests; tests/support/http_rows.py reads them for Python's. The format
// stands in tests/http/README.md.
#pragma once

#include <algorithm>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <yaml-cpp/yaml.h>

namespace sallyport::http::test {

struct Row {
    std::string says;
    std::string rfc;
    std::string message;
    std::string method; ///< of the request that a response answers
    std::string refused;
    int status{0};
    std::optional<std::string> forwarded;
    std::optional<std::string> body;
    std::string trailers;
    std::string left;
    bool incomplete{false};
};

/// YAML writes bytes as code points up to U+00FF.
inline std::string bytes_of(const std::string& utf8)
{
    std::string bytes;
    for (std::size_t i = 0; i < utf8.size(); ++i) {
        const auto lead = static_cast<unsigned char>(utf8[i]);
        if (lead < 0x80) {
            bytes += utf8[i];
            continue;
        }
        if (lead > 0xC3 || i + 1 == utf8.size()) throw std::runtime_error{"no byte: " + utf8};
        const auto low = static_cast<unsigned char>(utf8[++i]);
        bytes += static_cast<char>((lead << 6U) | (low & 0x3FU));
    }
    return bytes;
}

/// A text, or a list of texts and of {repeat: text, times: number}.
inline std::string text_of(const YAML::Node& node)
{
    if (!node) return {};
    if (node.IsScalar()) return bytes_of(node.as<std::string>());
    std::string text;
    for (const YAML::Node& piece : node) {
        const bool repeats = piece.IsMap();
        const std::string part = text_of(repeats ? piece["repeat"] : piece);
        for (int times = repeats ? piece["times"].as<int>() : 1; times > 0; --times)
            text += part;
    }
    return text;
}

inline std::string filled(std::string text, const std::string& with)
{
    for (std::size_t at = 0; (at = text.find("{}", at)) != std::string::npos; at += with.size())
        text.replace(at, 2, with);
    return text;
}

inline Row row_of(const YAML::Node& node, const std::string& name, const std::optional<std::string>& value)
{
    const auto text = [&](const char* key) { return value ? filled(text_of(node[key]), *value) : text_of(node[key]); };
    const auto optional = [&](const char* key) { return node[key] ? std::optional{text(key)} : std::nullopt; };
    return {.says = value ? filled(node["says"].as<std::string>(), name) : node["says"].as<std::string>(),
            .rfc = node["rfc"].as<std::string>(),
            .message = text(node["request"] ? "request" : "response"),
            .method = text("method"),
            .refused = text("refused"),
            .status = node["status"].as<int>(0),
            .forwarded = optional("forwarded"),
            .body = optional("body"),
            .trailers = text("trailers"),
            .left = text("left"),
            .incomplete = node["incomplete"].as<bool>(false)};
}

/// One row, or one for each entry of `each`.
inline void add_rows(const YAML::Node& node, std::vector<Row>& rows)
{
    const YAML::Node each = node["each"];
    if (!each) {
        rows.push_back(row_of(node, "", std::nullopt));
    } else if (each.IsMap()) {
        for (const auto& entry : each)
            rows.push_back(row_of(node, entry.first.as<std::string>(), text_of(entry.second)));
    } else {
        for (const YAML::Node& value : each)
            rows.push_back(row_of(node, value.as<std::string>(), text_of(value)));
    }
}

/// Of all files in the directory, in the order of their names.
inline std::vector<Row> load_rows(const std::filesystem::path& directory)
{
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator{directory})
        files.push_back(entry.path());
    std::ranges::sort(files);
    std::vector<Row> rows;
    for (const auto& file : files)
        for (const YAML::Node& node : YAML::LoadFile(file.string()))
            add_rows(node, rows);
    return rows;
}

} // namespace sallyport::http::test

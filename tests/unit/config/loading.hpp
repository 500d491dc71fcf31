// How the tests of this module load a configuration: from texts alone, without a file or the real environment.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "sallyport/config/load.hpp"

namespace sallyport::config {

struct Input {
    std::string text{};                                       ///< of SALLYPORT_CONFIG; empty: none
    std::vector<std::pair<std::string, std::string>> flags{}; ///< without dashes
    std::map<std::string, std::string> variables{};
    bool pem_in_environment{false};

    [[nodiscard]] Sources sources() const
    {
        Sources sources;
        sources.default_path = "/nowhere/sallyport.yaml";
        sources.overrides.flags = flags;
        sources.pem_in_environment = pem_in_environment;
        for (const auto& [name, value] : variables)
            sources.environment_names.push_back(name);
        sources.environment = [*this](std::string_view name) -> std::optional<std::string> {
            if (name == "SALLYPORT_CONFIG" && !text.empty()) return text;
            const auto found = variables.find(std::string{name});
            return found == variables.end() ? std::nullopt : std::optional{found->second};
        };
        return sources;
    }
};

/// "OK", or every mistake, one a line. The source SALLYPORT_CONFIG is left out.
inline std::string mistakes_of(const Input& given)
{
    const auto loaded = load(given.sources());
    if (loaded) return "OK";
    std::string all;
    for (const Diagnostic& one : loaded.error()) {
        std::string line = one.print();
        if (one.source == "SALLYPORT_CONFIG") line.erase(0, one.source.size() + 1);
        all += (all.empty() ? "" : "\n") + line;
    }
    return all;
}

/// The configuration, which must be free of mistakes.
inline Config loaded(const Input& given)
{
    const auto config = load(given.sources());
    if (!config) throw std::runtime_error{mistakes_of(given)};
    return *config;
}

/// A good file whose one upstream has this address, and these lines after it.
inline std::string file_with(const std::string& more, const std::string& address = "7766")
{
    return "listeners: [{bind: \":443\", tls: {self_signed: true}, mode: tcp}]\nupstreams: {app: {address: \"" +
           address + "\"}}\n" + more;
}

} // namespace sallyport::config

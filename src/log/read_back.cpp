#include "read_back.hpp"

#include <string>

#include "sallyport/log/log.hpp"

namespace sallyport::log {

namespace {

/// A plain line has its process between its level and its event, "2026-…Z info  worker confined": so far into it.
constexpr std::size_t kPlainHeadMax = 40;

/// Quotes within a value are escaped, so this can only be the field itself.
std::string_view json_field(std::string_view line, std::string_view name)
{
    const std::string before = ",\"" + std::string{name} + "\":\"";
    const std::size_t at = line.find(before);
    if (at == std::string_view::npos) return {};
    const std::string_view rest = line.substr(at + before.size());
    return rest.substr(0, rest.find('"'));
}

/// Where the quoted value that begins here ends.
std::size_t end_of_quoted(std::string_view line, std::size_t at)
{
    for (++at; at < line.size() && line[at] != '"'; ++at)
        if (line[at] == '\\') ++at;
    return at;
}

/// Values with spaces are quoted: what is between quotes is passed over.
std::string_view plain_field(std::string_view line, std::string_view name)
{
    const std::string before = " " + std::string{name} + "=";
    for (std::size_t at = 0; at < line.size(); ++at) {
        if (line[at] == '"') {
            at = end_of_quoted(line, at);
        } else if (line.substr(at).starts_with(before)) {
            const std::string_view rest = line.substr(at + before.size());
            return rest.substr(0, rest.find(' '));
        }
    }
    return {};
}

} // namespace

std::string_view field_of(std::string_view line, std::string_view name)
{
    return says_it_is_audit(line) ? json_field(line, name) : plain_field(line, name);
}

std::string_view process_of(std::string_view line)
{
    if (const std::string_view named = json_field(line, "process"); !named.empty()) return named;
    for (const std::string_view process : {"gatekeeper", "keyholder", "worker"})
        if (line.find(" " + std::string{process} + " ") < kPlainHeadMax) return process;
    return {};
}

bool ends_chain(std::string_view line)
{
    return json_field(line, "event") == kChainEnds ||
           line.find(' ' + std::string{kChainEnds} + " stream=audit") != std::string_view::npos;
}

bool says_it_is_audit(std::string_view line)
{
    return line.find(R"(,"stream":"audit")") != std::string_view::npos;
}

} // namespace sallyport::log

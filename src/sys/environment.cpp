#include "sallyport/sys/environment.hpp"

#include <cstdlib>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include <unistd.h>

#include "sallyport/base/start_error.hpp"
#include "sallyport/sys/pem_text.hpp"
#include "sallyport/sys/secret_memory_file.hpp"

namespace sallyport::sys {

namespace {

/// Takes the entries out of the list first: afterwards they have no name to be found by.
void wipe_entries(const std::string& name)
{
    std::vector<char*> entries;
    const std::string start = name + "=";
    for (char** entry = environ; *entry != nullptr; ++entry)
        if (std::string_view{*entry}.starts_with(start)) entries.push_back(*entry);
    ::unsetenv(name.c_str());
    for (char* entry : entries)
        ::explicit_bzero(entry, std::strlen(entry));
}

/// `anything`: also what is not PEM.
std::optional<UniqueFd> take(const std::string& name, bool anything)
{
    const char* value = std::getenv(name.c_str());
    if (value == nullptr || *value == '\0') return std::nullopt;
    SecretText text{std::strlen(value) + 1};
    const PemValue kind = normalise_pem(value, text);
    if (kind == PemValue::none) {
        if (!anything) return std::nullopt;
        for (const char* c = value; *c != '\0'; ++c)
            text.append(*c);
    }
    wipe_entries(name);
    if (kind == PemValue::damaged)
        throw StartError{ExitCode::configuration,
                         name + ": begins as base64 of a PEM text but cannot be decoded to one; give the PEM text, the "
                                "base64 of the whole text, or a path"};
    Result<UniqueFd> file = sealed_copy(std::as_bytes(std::span{text.view()}));
    if (!file)
        throw StartError{ExitCode::os_error,
                         name + ": cannot move it into a memory file: " + file.error().cause.message()};
    return std::move(*file);
}

} // namespace

std::optional<UniqueFd> take_pem(const std::string& name)
{
    return take(name, false);
}

std::optional<UniqueFd> take_variable(const std::string& name)
{
    return take(name, true);
}

} // namespace sallyport::sys

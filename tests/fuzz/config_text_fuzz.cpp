// Configuration texts: a valid one prints to a text that means the same; a wrong one has at least one diagnostic.
#include <optional>
#include <string>
#include <string_view>

#include "fuzz_target.hpp"
#include "sallyport/base/contract.hpp"
#include "sallyport/config/load.hpp"

namespace {

auto load_text(const std::string& text)
{
    sallyport::config::Sources sources;
    sources.environment = [&](std::string_view name) -> std::optional<std::string> {
        if (name == "SALLYPORT_CONFIG") return text;
        return std::nullopt;
    };
    return sallyport::config::load(sources);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const auto config = load_text(std::string{reinterpret_cast<const char*>(data), size});
    if (!config) {
        SALLYPORT_ASSERT(!config.error().empty());
        return 0;
    }
    const std::string printed = sallyport::config::print(*config);
    const auto again = load_text(printed);
    SALLYPORT_ASSERT(again.has_value());
    SALLYPORT_ASSERT(sallyport::config::print(*again) == printed);
    return 0;
}

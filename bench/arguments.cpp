#include "arguments.hpp"

#include <charconv>
#include <cstdio>
#include <cstdlib>

namespace bench {

namespace {

constexpr int kUsage = 64;

[[noreturn]] void refuse(std::string_view why, std::string_view what)
{
    std::fprintf(stderr, "%.*s: %.*s\n", static_cast<int>(why.size()), why.data(), static_cast<int>(what.size()),
                 what.data());
    std::exit(kUsage);
}

} // namespace

Arguments::Arguments(int count, char** words)
{
    for (int i = 0; i < count; ++i) {
        const std::string_view name{words[i]};
        if (!name.starts_with("--")) refuse("not an option", name);
        const bool alone = i + 1 == count || std::string_view{words[i + 1]}.starts_with("--");
        said_[std::string{name.substr(2)}] = alone ? "1" : words[++i];
    }
}

std::string Arguments::text(std::string_view name, std::string_view otherwise)
{
    const auto found = said_.find(name);
    if (found == said_.end()) return std::string{otherwise};
    return said_.extract(found).mapped();
}

std::uint64_t Arguments::number(std::string_view name, std::uint64_t otherwise)
{
    const std::string said = text(name, "");
    if (said.empty()) return otherwise;
    std::uint64_t value{};
    const auto [end, error] = std::from_chars(said.data(), said.data() + said.size(), value);
    if (error != std::errc{} || end != said.data() + said.size()) refuse("not a number", said);
    return value;
}

std::uint16_t Arguments::port(std::string_view name)
{
    const auto value = number(name, 0);
    if (value == 0 || value > UINT16_MAX) refuse("needs a port", name);
    return static_cast<std::uint16_t>(value);
}

int Arguments::core()
{
    constexpr std::uint64_t kAnywhere = 1024;
    const auto value = number("core", kAnywhere);
    return value >= kAnywhere ? -1 : static_cast<int>(value);
}

void Arguments::end() const
{
    if (!said_.empty()) refuse("unknown option", said_.begin()->first);
}

} // namespace bench

// The command line of the benchmark's own programs: --name value pairs, each with a default.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace bench {

class Arguments {
public:
    /// Exits 64 unless everything is `--name value` or `--name` alone, which means 1.
    Arguments(int count, char** words);

    [[nodiscard]] std::string text(std::string_view name, std::string_view otherwise);
    [[nodiscard]] std::uint64_t number(std::string_view name, std::uint64_t otherwise);
    [[nodiscard]] std::uint16_t port(std::string_view name);
    [[nodiscard]] int core();
    [[nodiscard]] bool flag(std::string_view name) { return number(name, 0) != 0; }

    /// Exits 64 if something was said that nobody asked for.
    void end() const;

private:
    std::map<std::string, std::string, std::less<>> said_;
};

} // namespace bench

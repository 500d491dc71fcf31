// What flags and variables say, and how it is laid over the tree of the file.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "flags.hpp"
#include "mistakes.hpp"
#include "node.hpp"
#include "sallyport/config/load.hpp"

namespace sallyport::config {

/// Of the listener that flags make.
inline constexpr std::string_view kDefaultBind = ":443";

/// Who said it; the later one wins.
enum class Layer : std::uint8_t { environment, command_line };

struct Setting {
    const Flag* flag;
    std::string value;
    Place at; ///< "--to" or "SALLYPORT_TO"
    Layer layer;
};

class Settings {
public:
    void add(Setting setting);
    [[nodiscard]] const Setting* find(std::string_view flag) const;
    void forget(std::string_view flag);
    [[nodiscard]] const std::vector<Setting>& all() const { return all_; }
    [[nodiscard]] bool empty() const { return all_.empty(); }

private:
    std::vector<Setting> all_;
};

/// The command line's settings, and the environment's where the command line is silent. An empty variable is not set.
/// Reports unknown and repeated flags, unknown variables, and contradictions; the PEM pair of the environment becomes
/// the setting `cert`.
[[nodiscard]] Settings gather_settings(const Sources& sources, Mistakes& mistakes);

/// Lays the settings over the tree. Where it has no listener or no upstream, and there is a setting for one, it gets
/// one: `:443`, and `app`.
void apply_settings(const Settings& settings, Node& root, Mistakes& mistakes);

} // namespace sallyport::config

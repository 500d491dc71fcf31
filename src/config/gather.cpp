// The first half of settings.hpp: what flags and variables say.
#include <algorithm>

#include "kinds.hpp"
#include "settings.hpp"

namespace sallyport::config {

namespace {

constexpr std::string_view kPrefix = "SALLYPORT_";

std::string dashed(std::string_view flag)
{
    return "--" + std::string{flag};
}

const Flag* flag_named(std::string_view name)
{
    const auto flag = std::ranges::find(flags(), name, &Flag::name);
    return flag == flags().end() ? nullptr : &*flag;
}

std::optional<std::string> variable(const Sources& sources, std::string_view name)
{
    auto value = sources.environment ? sources.environment(name) : std::nullopt;
    return value && !value->empty() ? value : std::nullopt;
}

void gather_flags(const Sources& sources, Settings& settings, Mistakes& mistakes)
{
    for (const auto& [name, value] : sources.overrides.flags) {
        const Place at{dashed(name)};
        const Flag* flag = flag_named(name);
        if (flag == nullptr)
            mistakes.report(at, "unknown flag");
        else if (settings.find(name) != nullptr)
            mistakes.report(at, "is given twice");
        else
            settings.add({flag, value, at, Layer::command_line});
    }
}

void gather_variables(const Sources& sources, Settings& settings)
{
    for (const Flag& flag : flags()) {
        if (settings.find(flag.name) != nullptr) continue;
        const std::string name = variable_of(flag.name);
        if (const auto value = variable(sources, name)) settings.add({&flag, *value, Place{name}, Layer::environment});
    }
}

void check_variables(const Sources& sources, Mistakes& mistakes)
{
    std::vector<std::string> known{std::string{kConfigVariable}, std::string{kConfigFileVariable}};
    for (const Flag& flag : flags())
        known.push_back(variable_of(flag.name));
    const std::vector<std::string_view> names{known.begin(), known.end()};
    for (const std::string& name : sources.environment_names)
        if (name.starts_with(kPrefix) && !is_service_link(name) && std::ranges::find(known, name) == known.end())
            mistakes.report(Place{name}, "unknown variable" + suggestion(name, names));
}

/// The pair of PEM texts that the gatekeeper has taken out of the environment, as a setting of the environment.
void add_pem_pair(const Sources& sources, Settings& settings, Mistakes& mistakes)
{
    if (!sources.pem_in_environment) return;
    const Place at{variable_of("cert")};
    for (const std::string_view name : {"cert", "key"}) {
        const Setting* path = settings.find(name);
        if (path != nullptr && path->layer == Layer::environment)
            mistakes.report(path->at, "is a path, but the other one of SALLYPORT_CERT and SALLYPORT_KEY is a PEM text: "
                                      "give both in one way");
    }
    if (settings.find("cert") == nullptr)
        settings.add({flag_named("cert"), std::string{kPairInEnvironment}, at, Layer::environment});
}

void forget_pair(Settings& settings)
{
    for (const std::string_view name : {"cert", "key", "passphrase"})
        settings.forget(name);
}

/// Leaves at most one of `cert` and `self-signed`: that of the later layer.
void choose_certificate(Settings& settings, Mistakes& mistakes)
{
    const Setting* made = settings.find("self-signed");
    if (made != nullptr && made->value == "false") {
        settings.forget("self-signed");
        made = nullptr;
    }
    const Setting* pair = settings.find("cert");
    if (made == nullptr || pair == nullptr) return;
    if (made->layer == pair->layer)
        mistakes.report(made->at, "contradicts " + pair->at.source + ": give one of the two");
    else if (made->layer > pair->layer)
        return forget_pair(settings);
    settings.forget("self-signed");
}

void check_pair(const Settings& settings, Mistakes& mistakes)
{
    if (settings.find("cert") != nullptr) return;
    for (const std::string_view name : {"key", "passphrase"})
        if (const Setting* setting = settings.find(name))
            mistakes.report(setting->at, "needs a certificate too: --cert or SALLYPORT_CERT");
}

} // namespace

void Settings::add(Setting setting)
{
    all_.push_back(std::move(setting));
}

const Setting* Settings::find(std::string_view flag) const
{
    const auto found = std::ranges::find_if(all_, [&](const Setting& setting) { return setting.flag->name == flag; });
    return found == all_.end() ? nullptr : &*found;
}

void Settings::forget(std::string_view flag)
{
    std::erase_if(all_, [&](const Setting& setting) { return setting.flag->name == flag; });
}

Settings gather_settings(const Sources& sources, Mistakes& mistakes)
{
    Settings settings;
    gather_flags(sources, settings, mistakes);
    gather_variables(sources, settings);
    check_variables(sources, mistakes);
    add_pem_pair(sources, settings, mistakes);
    choose_certificate(settings, mistakes);
    check_pair(settings, mistakes);
    return settings;
}

} // namespace sallyport::config

// A machine made of recorded texts: what its /proc would say.
#pragma once

#include <map>
#include <set>
#include <string>

#include "sallyport/audit/facts.hpp"

namespace sallyport::audit {

struct Recorded {
    std::map<std::string, std::string> files{};
    std::map<std::string, std::string> links{};
    std::map<std::string, std::uint32_t> owners{};
    std::map<std::string, sys::FileCapability> capabilities{}; ///< of a file that is not here: it may not be read
    std::map<std::string, std::string, std::less<>> variables{};
    int landlock_abi{4};

    template <typename Map, typename Key>
    static auto find(const Map& map, const Key& key) -> std::optional<typename Map::mapped_type>
    {
        const auto found = map.find(key);
        return found == map.end() ? std::nullopt : std::optional{found->second};
    }

    /// The first steps of all paths below the directory.
    [[nodiscard]] std::vector<std::string> list(const std::string& directory) const
    {
        std::set<std::string> names;
        for (const auto& [path, text] : files)
            if (path.starts_with(directory + "/")) {
                const std::string below = path.substr(directory.size() + 1);
                names.insert(below.substr(0, below.find('/')));
            }
        return {names.begin(), names.end()};
    }

    /// Borrows this.
    [[nodiscard]] Files reader() const
    {
        return {.read = [this](const std::string& path) { return find(files, path); },
                .link = [this](const std::string& path) { return find(links, path); },
                .list = [this](const std::string& path) { return list(path); },
                .user = [this](const std::string& path) { return find(owners, path); },
                .capability = [this](const std::string& path) -> Result<std::optional<sys::FileCapability>> {
                    const auto found = find(capabilities, path);
                    if (!found) return fail(Fault::forbidden, Side::self, "reading a file's capability");
                    return *found == sys::FileCapability{} ? std::nullopt : found;
                },
                .variable = [this](std::string_view name) { return find(variables, name); },
                .environment = [this] { return find(files, "/proc/self/environ").value_or(""); },
                .landlock_abi = landlock_abi};
    }
};

/// The lines of /proc/PID/status that matter. `sets`: CapInh, CapPrm, CapEff, CapBnd, CapAmb.
inline std::string status_text(std::uint32_t uid, const std::array<std::string, 5>& sets, int no_new_privs, int seccomp,
                               int filters = 1)
{
    const std::string id = std::to_string(uid);
    return "Name:\tsallyport\nUid:\t" + id + "\t" + id + "\t" + id + "\t" + id + "\nGid:\t" + id + "\t" + id + "\t" +
           id + "\t" + id + "\nCapInh:\t" + sets[0] + "\nCapPrm:\t" + sets[1] + "\nCapEff:\t" + sets[2] +
           "\nCapBnd:\t" + sets[3] + "\nCapAmb:\t" + sets[4] + "\nNoNewPrivs:\t" + std::to_string(no_new_privs) +
           "\nSeccomp:\t" + std::to_string(seccomp) + "\nSeccomp_filters:\t" +
           std::to_string(seccomp == 0 ? 0 : filters) + "\n";
}

inline const std::string kNone = "0000000000000000";
inline const std::string kBind = "0000000000000400";
inline const std::string kDocker = "00000000a80425fb"; // Docker's default bounding set
inline const std::string kFull = "000001ffffffffff";

inline const std::string kLimits = "Limit                     Soft Limit           Hard Limit           Units     \n"
                                   "Max core file size        0                    unlimited            bytes     \n"
                                   "Max open files            1024                 1048576              files     \n";

} // namespace sallyport::audit

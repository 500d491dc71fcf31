// facts.hpp: which file tells what.
#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include <sys/stat.h>
#include <unistd.h>

#include "sallyport/audit/facts.hpp"
#include "sallyport/sys/landlock.hpp"

namespace sallyport::audit {

namespace {

namespace fs = std::filesystem;
using sys::parse_number;
using sys::take_line;
using sys::take_word;

constexpr std::size_t kNameMax = 15; // of /proc/PID/comm
constexpr const char* kSelf = "self";

std::string proc(const std::string& pid, std::string_view file)
{
    return "/proc/" + pid + "/" + std::string{file};
}

std::string first_line(const std::optional<std::string>& text)
{
    std::string_view rest = text ? std::string_view{*text} : std::string_view{};
    return std::string{take_line(rest)};
}

sys::StatusFacts weaker(const sys::StatusFacts& a, const sys::StatusFacts& b)
{
    return {.capabilities = {.inheritable = a.capabilities.inheritable | b.capabilities.inheritable,
                             .permitted = a.capabilities.permitted | b.capabilities.permitted,
                             .effective = a.capabilities.effective | b.capabilities.effective,
                             .bounding = a.capabilities.bounding | b.capabilities.bounding,
                             .ambient = a.capabilities.ambient | b.capabilities.ambient},
            .no_new_privs = a.no_new_privs && b.no_new_privs,
            .uid = std::min(a.uid, b.uid),
            .gid = std::min(a.gid, b.gid),
            .filtered = a.filtered && b.filtered,
            .filters = std::min(a.filters, b.filters)};
}

/// Capabilities, filters and even users belong to threads: what one of them has, the process has.
std::optional<sys::StatusFacts> status_of(const Files& files, const std::string& pid)
{
    std::optional<sys::StatusFacts> all;
    for (const std::string& thread : files.list(proc(pid, "task"))) {
        const auto text = files.read(proc(pid, "task/" + thread + "/status"));
        const auto one = text ? sys::parse_status(*text) : std::nullopt;
        if (one) all = all ? weaker(*all, *one) : *one;
    }
    return all;
}

/// The files of a process belong to root, not to its user, when it is not dumpable (proc(5)).
std::optional<bool> dumpable(const Files& files, const std::string& pid, const sys::StatusFacts& status)
{
    const auto owner = files.user(proc(pid, "status"));
    if (!owner || status.uid == 0) return std::nullopt;
    return *owner == status.uid;
}

std::optional<ProcessFacts> process_facts(const Files& files, const std::string& pid, const Role& role)
{
    const auto status = status_of(files, pid);
    if (!status) return std::nullopt;
    ProcessFacts facts;
    facts.name = role.name;
    facts.lawful = role.lawful;
    facts.status = *status;
    facts.own_filters = role.own_filters;
    facts.starts_app = role.starts_app;
    facts.dumpable = dumpable(files, pid, *status);
    if (const auto limits = files.read(proc(pid, "limits"))) facts.descriptors = parse_descriptor_limit(*limits);
    const auto block = pid == kSelf ? files.environment() : files.read(proc(pid, "environ"));
    if (block) facts.secrets = parse_secrets(*block);
    if (const auto file = files.capability(proc(pid, "exe"))) facts.file = *file;
    return facts;
}

std::optional<std::string> variable_in(const std::string& block, std::string_view name)
{
    std::string_view rest{block};
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find('\0'), rest.size());
        const std::string_view entry = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=')
            return std::string{entry.substr(name.size() + 1)};
    }
    return std::nullopt;
}

/// Of the process where it may be looked into, else of ourselves: `docker exec` shares all of it.
sys::Runtime runtime_around(const Files& files, const std::string& pid)
{
    const auto block = files.read(proc(pid, "environ"));
    const bool visible = block && files.user(proc(pid, "root/"));
    return sys::recognise_runtime({
        .environment =
            [&](std::string_view name) { return visible ? variable_in(*block, name) : files.variable(name); },
        .exists =
            [&](std::string_view path) {
                return files.user(visible ? proc(pid, "root") + std::string{path} : std::string{path}).has_value();
            },
        .cgroup = files.read(proc(pid, "cgroup")).value_or(""),
    });
}

/// /proc/sys/net shows the reader's own network namespace.
std::optional<std::uint16_t> port_start(const Files& files, const std::optional<std::string>& network)
{
    if (!network || network != files.link("/proc/self/ns/net")) return std::nullopt;
    return parse_number<std::uint16_t>(first_line(files.read("/proc/sys/net/ipv4/ip_unprivileged_port_start")));
}

std::optional<bool> is_initial(const std::optional<std::string>& uid_map)
{
    if (!uid_map) return std::nullopt;
    std::string_view rest{*uid_map};
    const bool starts_at_0 = take_word(rest) == "0";
    return starts_at_0 && take_word(rest) == "0" &&
           sys::parse_number<std::uint32_t>(first_line(std::string{rest})) == UINT32_MAX;
}

void add_surroundings(Facts& facts, const Files& files, const std::string& pid)
{
    facts.runtime = runtime_around(files, pid);
    facts.user_namespace = files.link(proc(pid, "ns/user"));
    facts.initial_user_namespace = is_initial(files.read(proc(pid, "uid_map")));
    facts.network_namespace = files.link(proc(pid, "ns/net"));
    facts.port_start = port_start(files, facts.network_namespace);
    if (const auto mounts = files.read(proc(pid, "mountinfo"))) facts.mounts = parse_mounts(*mounts);
    facts.shares = sys::group_shares(files.read, pid);
    facts.landlock_abi = files.landlock_abi;
}

bool is_running(const Files& files, const std::string& pid, const Role& role)
{
    return first_line(files.read(proc(pid, "comm"))) == role.executable.substr(0, kNameMax);
}

// "812 (sallyport-worker) S 800 …": the name may hold anything, so the fields are counted from its last parenthesis.
std::string parent_of(const Files& files, const std::string& pid)
{
    const std::string stat = first_line(files.read(proc(pid, "stat")));
    std::string_view rest{stat};
    rest.remove_prefix(std::min(rest.rfind(')') + 1, rest.size()));
    static_cast<void>(take_word(rest)); // its state
    return std::string{take_word(rest)};
}

std::vector<std::string> children_of(const Files& files, const std::string& parent)
{
    std::vector<std::string> children;
    for (const std::string& pid : files.list("/proc"))
        if (parse_number<std::uint32_t>(pid) && parent_of(files, pid) == parent) children.push_back(pid);
    std::ranges::sort(children);
    return children;
}

/// The words after "NSpid:": one for each nested process namespace, the innermost last.
std::ptrdiff_t process_namespaces(const std::string& status)
{
    constexpr std::string_view kField = "\nNSpid:";
    const std::size_t at = status.find(kField);
    if (at == std::string::npos) return 0;
    std::string_view rest = std::string_view{status}.substr(at + kField.size());
    return std::ranges::count(take_line(rest), '\t');
}

std::optional<std::uint32_t> filters_of(const std::optional<std::string>& status)
{
    const auto facts = status ? sys::parse_status(*status) : std::nullopt;
    return facts ? facts->filters : std::nullopt;
}

/// The filters that were in force before a gatekeeper installed its own: those of its parent, unless that stands
/// outside of the cage which it (or a container runtime, or systemd) built around its child; those of ourselves if we
/// were put into the same container. Else nobody knows.
std::optional<std::uint32_t> filters_around(const Files& files, const std::string& head, sys::Runtime runtime)
{
    const std::string parent = parent_of(files, head);
    if (parent == "0" && runtime != sys::Runtime::systemd && runtime != sys::Runtime::plain)
        return filters_of(files.read(proc(kSelf, "status")));
    const auto own = files.read(proc(head, "status"));
    const auto above = files.read(proc(parent, "status"));
    if (!own || !above || process_namespaces(*own) != process_namespaces(*above)) return std::nullopt;
    const auto filters = filters_of(above);
    const bool is_within = runtime == sys::Runtime::plain || filters.value_or(0) > 0;
    return is_within ? filters : std::nullopt;
}

} // namespace

Facts facts_here(const Files& files)
{
    Facts facts;
    if (const auto process = process_facts(files, kSelf, Role{.name = "here", .executable = {}}))
        facts.processes.push_back(*process);
    add_surroundings(facts, files, kSelf);
    return facts;
}

std::expected<Facts, std::string> facts_of_family(const Files& files, std::uint32_t pid, std::span<const Role> roles)
{
    const std::string head = std::to_string(pid);
    if (!files.read(proc(head, "comm")))
        return std::unexpected{"there is no process " + head + ", or it may not be seen"};
    if (!is_running(files, head, roles.front()))
        return std::unexpected{"process " + head + " is not " + std::string{roles.front().executable} +
                               ": name the one that was started, not its children"};
    Facts facts;
    facts.live = true;
    std::vector<std::string> members{head};
    std::ranges::copy(children_of(files, head), std::back_inserter(members));
    for (const std::string& member : members) {
        const auto role = std::ranges::find_if(roles, [&](const Role& one) { return is_running(files, member, one); });
        if (role == roles.end()) continue;
        if (const auto process = process_facts(files, member, *role)) facts.processes.push_back(*process);
    }
    for (const Role& role : roles)
        if (!role.starts_app &&
            std::ranges::find(facts.processes, role.name, &ProcessFacts::name) == facts.processes.end())
            facts.missing.emplace_back(role.name);
    add_surroundings(facts, files, head);
    for (ProcessFacts& process : facts.processes)
        process.filters_around = process.starts_app || process.name == roles.front().name
                                     ? filters_around(files, head, facts.runtime)
                                     : facts.processes.front().status.filters;
    return facts;
}

Files this_machine()
{
    return {
        .read = sys::read_text,
        .link = [](const std::string& path) -> std::optional<std::string> {
            std::error_code error;
            const fs::path target = fs::read_symlink(path, error);
            return error ? std::nullopt : std::optional{target.string()};
        },
        .list =
            [](const std::string& path) {
                std::vector<std::string> names;
                std::error_code error;
                for (fs::directory_iterator entry{path, error}, end; !error && entry != end; entry.increment(error))
                    names.push_back(entry->path().filename().string());
                return names;
            },
        .user = [](const std::string& path) -> std::optional<std::uint32_t> {
            struct stat facts{};
            return ::stat(path.c_str(), &facts) == 0 ? std::optional{facts.st_uid} : std::nullopt;
        },
        .capability = sys::file_capability,
        .variable = [](std::string_view name) -> std::optional<std::string> {
            const char* value = std::getenv(std::string{name}.c_str());
            return value == nullptr ? std::nullopt : std::optional<std::string>{value};
        },
        .environment =
            [] {
                std::string block;
                for (char** entry = environ; *entry != nullptr; ++entry)
                    block.append(*entry).push_back('\0');
                return block;
            },
        .landlock_abi = sys::available_guards().abi,
    };
}

} // namespace sallyport::audit

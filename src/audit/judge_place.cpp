#include <algorithm>
#include <tuple>

#include "judge.hpp"
#include "sallyport/audit/mend.hpp"

namespace sallyport::audit {

namespace {

constexpr std::size_t kMountsNamed = 5;
constexpr std::string_view kSharedMemory = "/dev/shm";

class Judge {
public:
    Judge(const Facts& facts, std::vector<Row>& rows) : facts_{facts}, rows_{rows} {}

    void judge()
    {
        add(Grade::ok, "runtime", std::string{sys::name(facts_.runtime)});
        judge_namespaces();
        judge_port_start();
        judge_mounts();
        judge_tasks();
        judge_memory();
    }

private:
    void add(Grade grade, std::string_view what, std::string value, std::string mend = {})
    {
        rows_.push_back({grade, "", std::string{what}, std::move(value), std::move(mend)});
    }
    [[nodiscard]] std::string line(Guard guard) const { return mend(guard, facts_.runtime); }

    void judge_namespaces();
    void judge_port_start();
    void judge_mounts();
    void judge_tasks();
    void judge_memory();

    const Facts& facts_;
    std::vector<Row>& rows_;
};

void Judge::judge_namespaces()
{
    const auto& initial = facts_.initial_user_namespace;
    const std::string kind = !initial ? "" : *initial ? " (the machine's own)" : " (a rootless container's)";
    for (const auto& [what, name, note] : {std::tuple{"user_namespace", facts_.user_namespace, kind},
                                           std::tuple{"network_namespace", facts_.network_namespace, std::string{}}})
        add(name ? Grade::ok : Grade::warn, what, name ? *name + note : kUnreadable);
}

void Judge::judge_port_start()
{
    if (facts_.port_start)
        add(Grade::ok, "unprivileged_port_start", std::to_string(*facts_.port_start));
    else
        add(Grade::warn, "unprivileged_port_start",
            "not known: its network namespace is another one, or may not be read");
}

void Judge::judge_mounts()
{
    if (!facts_.mounts) {
        add(Grade::warn, "root_filesystem", kUnreadable);
        return add(Grade::warn, "writable_mounts", kUnreadable);
    }
    const bool is_read_only = facts_.mounts->root_read_only;
    add(is_read_only ? Grade::ok : Grade::warn, "root_filesystem", is_read_only ? "read-only" : "writable",
        is_read_only ? "" : line(Guard::root_filesystem));
    const auto& writable = facts_.mounts->writable;
    if (writable.empty()) return add(Grade::ok, "writable_mounts", "none");
    std::string names;
    for (std::size_t i = 0; i < std::min(writable.size(), kMountsNamed); ++i)
        names += (i == 0 ? "" : ", ") + writable[i];
    if (writable.size() > kMountsNamed) names += " and " + std::to_string(writable.size() - kMountsNamed) + " more";
    const auto shared_memory = std::ranges::count(writable, kSharedMemory);
    const bool has_volume = std::ssize(writable) > shared_memory;
    add(Grade::warn, "writable_mounts", names,
        (has_volume ? line(Guard::volumes) : "") + (has_volume && shared_memory > 0 ? "\n" : "") +
            (shared_memory > 0 ? line(Guard::shared_memory) : ""));
}

std::string amount(const sys::Share& share, std::uint64_t unit, std::string_view unit_name)
{
    const auto text = [&](std::uint64_t value) { return std::to_string(value / unit) + std::string{unit_name}; };
    return (share.limit ? "limit " + text(*share.limit) : "no limit") +
           (share.used ? ", now " + text(*share.used) : "");
}

void Judge::judge_tasks()
{
    const sys::Share& tasks = facts_.shares.tasks;
    const bool has_app = std::ranges::any_of(facts_.processes, &ProcessFacts::starts_app);
    const std::string value = amount(tasks, 1, "") + (has_app ? "; the app's tasks come on top of ours" : "");
    const std::uint64_t needed = sys::tasks_for(1) + (has_app ? sys::kTasksOfStarter : 0);
    const bool is_shared = facts_.runtime == sys::Runtime::ecs || facts_.runtime == sys::Runtime::kubernetes;
    if (!tasks.limit && is_shared)
        add(Grade::ok, "tasks", value + " of this container's own; that of its task or pod is not seen from within");
    else if (!tasks.limit)
        add(Grade::warn, "tasks", value, line(Guard::tasks));
    else if (*tasks.limit < needed)
        add(Grade::warn, "tasks", value + "; " + std::to_string(needed) + " let a new worker start beside an old one",
            line(Guard::tasks));
    else
        add(Grade::ok, "tasks", value);
}

void Judge::judge_memory()
{
    const sys::Share& memory = facts_.shares.memory;
    const bool is_limited = memory.limit.has_value();
    add(is_limited ? Grade::ok : Grade::warn, "memory", amount(memory, 1U << 20, " MiB"),
        is_limited ? "" : line(Guard::memory));
}

} // namespace

void judge_place(const Facts& facts, std::vector<Row>& rows)
{
    Judge{facts, rows}.judge();
}

} // namespace sallyport::audit

#include "sallyport/sys/bind_facts.hpp"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <ranges>

#include <sys/xattr.h>
#include <unistd.h>

#include "sallyport/sys/file_text.hpp"

namespace sallyport::sys {

namespace {

constexpr const char* kOwnExecutable = "/proc/self/exe";
constexpr const char* kCapabilityAttribute = "security.capability";
constexpr std::string_view kSeccompFilter = "2"; // SECCOMP_MODE_FILTER
constexpr std::string_view kPortStart = "/proc/sys/net/ipv4/ip_unprivileged_port_start";

// vfs_cap_data of linux/capability.h: a word of revision and flag, then pairs (permitted, inheritable) of 32 bits.
constexpr std::size_t kCapabilityBytesMax = 24;
constexpr std::uint32_t kRevisionMask = 0xFF000000;
constexpr std::uint32_t kEffectiveFlag = 1;
struct Revision {
    std::uint32_t mark;
    std::size_t bytes;
    bool has_high_words;
};
constexpr std::array kRevisions{Revision{0x01000000, 12, false}, Revision{0x02000000, 20, true},
                                Revision{0x03000000, 24, true}};

/// The word after "Name:" at the beginning of a line.
std::optional<std::string_view> field(std::string_view text, std::string_view name)
{
    while (!text.empty()) {
        std::string_view line = take_line(text);
        if (!line.starts_with(name) || !line.substr(name.size()).starts_with(':')) continue;
        line.remove_prefix(name.size() + 1);
        return line;
    }
    return std::nullopt;
}

std::optional<std::uint64_t> capability_field(std::string_view text, std::string_view name)
{
    auto rest = field(text, name);
    return rest ? parse_number<std::uint64_t>(take_word(*rest), 16) : std::nullopt;
}

std::optional<CapabilitySets> parse_capabilities(std::string_view text)
{
    const auto inheritable = capability_field(text, "CapInh");
    const auto permitted = capability_field(text, "CapPrm");
    const auto effective = capability_field(text, "CapEff");
    const auto bounding = capability_field(text, "CapBnd");
    if (!inheritable || !permitted || !effective || !bounding) return std::nullopt;
    // Linux before 4.3 has no ambient set.
    return CapabilitySets{*inheritable, *permitted, *effective, *bounding,
                          capability_field(text, "CapAmb").value_or(0)};
}

/// Of "Uid" or "Gid".
std::optional<std::uint32_t> parse_effective_id(std::string_view text, std::string_view name)
{
    auto rest = field(text, name);
    if (!rest) return std::nullopt;
    static_cast<void>(take_word(*rest)); // the real one
    return parse_number<std::uint32_t>(take_word(*rest));
}

/// The little-endian word of 32 bits at this index.
std::uint64_t word_at(std::span<const std::byte> bytes, std::size_t index)
{
    std::uint64_t value{};
    for (const std::byte byte : std::views::reverse(bytes.subspan(4 * index, 4)))
        value = (value << 8) | std::to_integer<std::uint64_t>(byte);
    return value;
}

std::optional<std::uint16_t> read_port_start()
{
    const auto text = read_text(std::string{kPortStart});
    if (!text) return std::nullopt;
    std::string_view rest{*text};
    return parse_number<std::uint16_t>(take_line(rest));
}

Runtime runtime_around_us()
{
    return recognise_runtime({
        .environment = [](std::string_view name) -> std::optional<std::string> {
            const char* value = std::getenv(std::string{name}.c_str());
            return value == nullptr ? std::nullopt : std::optional<std::string>{value};
        },
        .exists = [](std::string_view path) { return ::access(std::string{path}.c_str(), F_OK) == 0; },
        .cgroup = read_text("/proc/self/cgroup").value_or(""),
    });
}

bool runs_in_a_service(std::string_view cgroup)
{
    while (!cgroup.empty())
        if (take_line(cgroup).ends_with(".service")) return true;
    return false;
}

} // namespace

std::string_view name(Runtime runtime)
{
    switch (runtime) {
    case Runtime::ecs:
        return "ecs";
    case Runtime::kubernetes:
        return "kubernetes";
    case Runtime::docker:
        return "docker";
    case Runtime::podman:
        return "podman";
    case Runtime::systemd:
        return "systemd";
    case Runtime::plain:
        return "plain";
    }
    return "plain";
}

BindFacts collect_bind_facts()
{
    return {
        .status = parse_status(read_text("/proc/thread-self/status").value_or("")).value_or(StatusFacts{}),
        .unprivileged_port_start = read_port_start(),
        .file_capability = file_capability(kOwnExecutable).value_or(std::nullopt),
        .runtime = runtime_around_us(),
    };
}

std::optional<StatusFacts> parse_status(std::string_view proc_status)
{
    const auto capabilities = parse_capabilities(proc_status);
    const auto uid = parse_effective_id(proc_status, "Uid");
    const auto gid = parse_effective_id(proc_status, "Gid");
    if (!capabilities || !uid || !gid) return std::nullopt;
    // Linux before 4.10 does not print it.
    auto no_new_privs = field(proc_status, "NoNewPrivs");
    auto seccomp = field(proc_status, "Seccomp");
    auto filters = field(proc_status, "Seccomp_filters");
    return StatusFacts{.capabilities = *capabilities,
                       .no_new_privs = no_new_privs && take_word(*no_new_privs) == "1",
                       .uid = *uid,
                       .gid = *gid,
                       .filtered = seccomp && take_word(*seccomp) == kSeccompFilter,
                       .filters = filters ? parse_number<std::uint32_t>(take_word(*filters)) : std::nullopt};
}

Result<std::optional<FileCapability>> file_capability(const std::string& path)
{
    std::array<std::byte, kCapabilityBytesMax> attribute{};
    const ssize_t size = ::getxattr(path.c_str(), kCapabilityAttribute, attribute.data(), attribute.size());
    if (size < 0 && errno != ENODATA && errno != EOPNOTSUPP) return fail_errno("reading a file's capability");
    if (size <= 0) return std::optional<FileCapability>{};
    return parse_file_capability(std::span{attribute}.first(static_cast<std::size_t>(size)));
}

std::optional<FileCapability> parse_file_capability(std::span<const std::byte> attribute)
{
    if (attribute.size() < 4) return std::nullopt;
    const std::uint64_t head = word_at(attribute, 0);
    for (const Revision& revision : kRevisions) {
        if ((head & kRevisionMask) != revision.mark || attribute.size() != revision.bytes) continue;
        FileCapability capability{.permitted = word_at(attribute, 1),
                                  .inheritable = word_at(attribute, 2),
                                  .effective = (head & kEffectiveFlag) != 0};
        if (revision.has_high_words) {
            capability.permitted |= word_at(attribute, 3) << 32;
            capability.inheritable |= word_at(attribute, 4) << 32;
        }
        return capability;
    }
    return std::nullopt;
}

Runtime recognise_runtime(const RuntimeSigns& signs)
{
    const auto is_set = [&](std::string_view variable) { return signs.environment(variable).has_value(); };
    if (is_set("ECS_CONTAINER_METADATA_URI_V4") || is_set("ECS_CONTAINER_METADATA_URI")) return Runtime::ecs;
    if (is_set("KUBERNETES_SERVICE_HOST") || signs.exists("/var/run/secrets/kubernetes.io")) return Runtime::kubernetes;
    if (signs.environment("container") == "podman" || signs.exists("/run/.containerenv")) return Runtime::podman;
    if (signs.exists("/.dockerenv") || signs.cgroup.find("/docker/") != std::string::npos) return Runtime::docker;
    if (is_set("INVOCATION_ID") && runs_in_a_service(signs.cgroup)) return Runtime::systemd;
    return Runtime::plain;
}

} // namespace sallyport::sys

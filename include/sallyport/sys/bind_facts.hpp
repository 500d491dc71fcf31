// Everything that explains why the kernel refused a port: facts collected from /proc and the file, by pure readers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "sallyport/sys/capabilities.hpp"

namespace sallyport::sys {

/// Who started us: decides which lines of help the operator sees.
enum class Runtime : std::uint8_t { ecs, kubernetes, docker, podman, systemd, plain };
[[nodiscard]] std::string_view name(Runtime runtime);

/// The `security.capability` attribute of a file (vfs_cap_data, capabilities(7)).
struct FileCapability {
    std::uint64_t permitted{};
    std::uint64_t inheritable{};
    bool effective{}; ///< with it, execve itself fails where the bounding set lacks a permitted capability

    bool operator==(const FileCapability&) const = default;
};

/// What /proc/PID/status says about privilege.
struct StatusFacts {
    CapabilitySets capabilities;
    bool no_new_privs{};
    std::uint32_t uid{};                  ///< effective
    std::uint32_t gid{};                  ///< effective
    bool filtered{};                      ///< a seccomp filter is in force
    std::optional<std::uint32_t> filters; ///< how many of them; Linux before 5.9 does not tell

    bool operator==(const StatusFacts&) const = default;
};

struct BindFacts {
    StatusFacts status;
    std::optional<std::uint16_t> unprivileged_port_start; ///< net.ipv4.ip_unprivileged_port_start, if it can be read
    std::optional<FileCapability> file_capability;        ///< of our own executable
    Runtime runtime{Runtime::plain};
};

/// Of this process, now. What cannot be read is left at its default. Collect before the capabilities are dropped.
[[nodiscard]] BindFacts collect_bind_facts();

/// The pure readers behind it. Nothing where the text or the bytes are not of that form.
[[nodiscard]] std::optional<StatusFacts> parse_status(std::string_view proc_status);
[[nodiscard]] std::optional<FileCapability> parse_file_capability(std::span<const std::byte> attribute);

/// Of the file at this path; an empty optional if it has none. Errors: it may not be read.
[[nodiscard]] Result<std::optional<FileCapability>> file_capability(const std::string& path);

/// The traces that runtimes leave in a process's surroundings.
struct RuntimeSigns {
    std::function<std::optional<std::string>(std::string_view name)> environment;
    std::function<bool(std::string_view path)> exists;
    std::string cgroup; ///< /proc/self/cgroup
};
/// The innermost one that left a trace: ECS before Kubernetes before podman before Docker before systemd.
[[nodiscard]] Runtime recognise_runtime(const RuntimeSigns& signs);

} // namespace sallyport::sys

// What /proc tells of this place and of the processes in it, as values: the first half of `sallyport audit`.
//
// A running family is looked at from outside, through /proc/PID, and is asked nothing: no process of it has to answer,
// so none can lie, and the gatekeeper needs no further socket. What is lost by that: nobody but root may read the
// namespaces, the executable and the environment of a process that is not dumpable (rows say so), the kernel shows
// nobody whether another process is under Landlock, and what only the configuration knows is not seen.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sallyport/base/result.hpp"
#include "sallyport/sys/bind_facts.hpp"
#include "sallyport/sys/file_text.hpp"
#include "sallyport/sys/resources.hpp"

namespace sallyport::audit {

/// Where facts come from: this machine, or a recorded one. Nothing stands for "not there, or it may not be read".
struct Files {
    sys::ReadText read;
    std::function<std::optional<std::string>(const std::string& path)> link;   ///< readlink(2)
    std::function<std::vector<std::string>(const std::string& path)> list;     ///< the names in a directory
    std::function<std::optional<std::uint32_t>(const std::string& path)> user; ///< the owner's uid
    std::function<Result<std::optional<sys::FileCapability>>(const std::string& path)> capability;
    std::function<std::optional<std::string>(std::string_view name)> variable; ///< of our own environment
    std::function<std::string()> environment; ///< all of it: its file is closed to us if ours carries a capability
    int landlock_abi{0};                      ///< of the running kernel; 0: none
};
[[nodiscard]] Files this_machine();

/// A variable whose value nobody but its owner should see. Its value is never kept.
struct Secret {
    std::string variable;
    bool is_private_key{};

    bool operator==(const Secret&) const = default;
};

struct DescriptorLimit {
    std::uint64_t soft{};
    std::uint64_t hard{};

    bool operator==(const DescriptorLimit&) const = default;
};

/// One process. Every optional: nothing where it may not be read.
struct ProcessFacts {
    std::string name;            ///< "gatekeeper"; before a start "here"
    std::uint64_t lawful{};      ///< what its permitted set may hold
    sys::StatusFacts status;     ///< of all its threads together: every capability, and only the guards that all have
    std::uint32_t own_filters{}; ///< how many seccomp filters it is to have installed itself
    bool starts_app{};           ///< see Role
    std::optional<std::uint32_t> filters_around; ///< how many it was born with: its container's, its parent's
    std::optional<bool> dumpable;
    std::optional<DescriptorLimit> descriptors;
    std::optional<std::vector<Secret>> secrets;
    std::optional<std::optional<sys::FileCapability>> file; ///< of its executable; inner nothing: none
};

struct Mounts {
    bool root_read_only{};
    std::vector<std::string> writable; ///< mount points other than the root, without the kernel's own file systems

    bool operator==(const Mounts&) const = default;
};

struct Facts {
    bool live{}; ///< of a running family; else of the place where one would start
    std::vector<ProcessFacts> processes;
    std::vector<std::string> missing; ///< the roles of a running family that nobody plays
    sys::Runtime runtime{};
    std::optional<std::uint16_t> port_start;      ///< net.ipv4.ip_unprivileged_port_start of their network namespace
    std::optional<std::string> user_namespace;    ///< "user:[4026531837]"
    std::optional<bool> initial_user_namespace;   ///< the machine's own, not a rootless container's
    std::optional<std::string> network_namespace; ///< "net:[4026531840]"
    std::optional<Mounts> mounts;
    sys::GroupShares shares;
    int landlock_abi{0};
};

/// What a process that starts here and now would find: this one, looked at.
[[nodiscard]] Facts facts_here(const Files& files);

/// Who belongs to a family.
struct Role {
    std::string_view name;       ///< "worker"
    std::string_view executable; ///< "sallyport-worker"
    std::uint64_t lawful{};      ///< what its permitted set may hold
    std::uint32_t own_filters{}; ///< how many seccomp filters it installs itself
    /// There is one only if there is an app. It was forked by who has the first role, before that one was confined, and
    /// its executable is the same; `executable` is then what it calls itself.
    bool starts_app{false};
};

/// Of the running gatekeeper with this process id, which has the first role, and its children, which have the others.
/// The error is a sentence for the operator.
[[nodiscard]] std::expected<Facts, std::string> facts_of_family(const Files& files, std::uint32_t pid,
                                                                std::span<const Role> roles);

/// The pure readers of single files.
[[nodiscard]] std::optional<Mounts> parse_mounts(std::string_view mountinfo);
[[nodiscard]] std::optional<DescriptorLimit> parse_descriptor_limit(std::string_view limits);
[[nodiscard]] std::vector<Secret> parse_secrets(std::string_view environment_block);

} // namespace sallyport::audit

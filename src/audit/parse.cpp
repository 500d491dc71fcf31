// The pure readers of facts.hpp.
#include <algorithm>
#include <array>

#include "sallyport/audit/facts.hpp"
#include "sallyport/sys/pem_text.hpp"

namespace sallyport::audit {

namespace {

using sys::parse_number;
using sys::take_line;
using sys::take_word;

bool is_one_of(std::string_view words, std::string_view wanted, char separator)
{
    while (!words.empty()) {
        const std::size_t end = std::min(words.find(separator), words.size());
        if (words.substr(0, end) == wanted) return true;
        words.remove_prefix(std::min(end + 1, words.size()));
    }
    return false;
}

struct Mount {
    std::string_view point;
    std::string_view type;
    bool read_only;
};

// "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue" (proc_pid_mountinfo(5)): read-only
// by its own options, or by those of its file system.
std::optional<Mount> parse_mount(std::string_view line)
{
    constexpr std::string_view kSeparator = " - ";
    const std::size_t separator = line.find(kSeparator);
    if (separator == std::string_view::npos) return std::nullopt;
    std::string_view system = line.substr(separator + kSeparator.size());
    for (int skipped = 0; skipped < 4; ++skipped)
        static_cast<void>(take_word(line)); // its id, its parent's, its device, its root
    Mount mount{
        .point = take_word(line), .type = take_word(system), .read_only = is_one_of(take_word(line), "ro", ',')};
    static_cast<void>(take_word(system)); // the source
    mount.read_only = mount.read_only || is_one_of(take_word(system), "ro", ',');
    return mount;
}

constexpr std::array<std::string_view, 22> kKernelsOwn{
    "autofs",   "binfmt_misc", "bpf",        "cgroup",    "cgroup2", "configfs", "debugfs", "devpts",
    "devtmpfs", "efivarfs",    "fusectl",    "hugetlbfs", "mqueue",  "nsfs",     "proc",    "pstore",
    "ramfs",    "rpc_pipefs",  "securityfs", "selinuxfs", "sysfs",   "tracefs"};

/// Of no use to somebody who wants to leave something behind.
bool is_kernels_own(const Mount& mount)
{
    const auto is_below = [&](std::string_view directory) { return mount.point.starts_with(directory); };
    if (mount.point == "/dev/shm") return false; // a directory for everybody
    return std::ranges::find(kKernelsOwn, mount.type) != kKernelsOwn.end() || mount.point == "/dev" ||
           is_below("/dev/") || is_below("/proc/") || is_below("/sys/");
}

bool ends_with_one_of(std::string_view name, std::initializer_list<std::string_view> ends)
{
    return std::ranges::any_of(ends, [&](std::string_view end) { return name.ends_with(end); });
}

bool has_one_of(std::string_view name, std::initializer_list<std::string_view> parts)
{
    return std::ranges::any_of(parts, [&](std::string_view part) { return name.find(part) != std::string_view::npos; });
}

enum class Kind : std::uint8_t { plain, secret, private_key };

/// By what it holds, as PEM, with written-out line ends, or as base64.
Kind kind_of_text(std::string_view value)
{
    sys::SecretText text{value.size() + 1};
    switch (sys::normalise_pem(value, text)) {
    case sys::PemValue::pem:
        return text.view().find("PRIVATE KEY-----") != std::string_view::npos ? Kind::private_key : Kind::plain;
    case sys::PemValue::damaged:
        return Kind::secret;
    case sys::PemValue::none:
        break;
    }
    return Kind::plain;
}

/// "postgres://user:password@host/", anywhere in the value (RFC 3986 §3.2.1).
bool holds_password(std::string_view value)
{
    constexpr std::string_view kAuthority = "://";
    for (std::size_t at{}; (at = value.find(kAuthority)) != std::string_view::npos;) {
        value.remove_prefix(at + kAuthority.size());
        const std::string_view authority = value.substr(0, value.find_first_of("/?# \t\n\"'"));
        const std::string_view user = authority.substr(0, authority.rfind('@'));
        const std::size_t colon = user.find(':');
        if (user.size() < authority.size() && colon != std::string_view::npos && colon + 1 < user.size()) return true;
    }
    return false;
}

/// Where the secret is, not what it is.
bool is_place(std::string_view name, std::string_view value)
{
    // What is no PEM there says where the text is.
    constexpr std::array<std::string_view, 3> kOurPlaces{"SALLYPORT_CERT", "SALLYPORT_KEY", "SALLYPORT_PASSPHRASE"};
    return std::ranges::find(kOurPlaces, name) != kOurPlaces.end() || value.starts_with('/') ||
           value.starts_with("./") || value.starts_with("../") ||
           ends_with_one_of(name, {"_FILE", "_PATH", "_URI", "_URL", "_ARN"});
}

bool is_called_secret(std::string_view name)
{
    return ends_with_one_of(name, {"_KEY", "PASSWD", "_PAT"}) ||
           has_one_of(name, {"SECRET", "PASSWORD", "PASSPHRASE", "TOKEN"});
}

std::string upper(std::string_view name)
{
    std::string text{name};
    std::ranges::transform(text, text.begin(),
                           [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
    return text;
}

Kind kind_of(std::string_view variable, std::string_view value)
{
    const Kind kind = kind_of_text(value);
    if (kind != Kind::plain || value.empty()) return kind;
    const std::string name = upper(variable);
    const bool is_secret = holds_password(value) || (is_called_secret(name) && !is_place(name, value));
    return is_secret ? Kind::secret : Kind::plain;
}

} // namespace

std::optional<Mounts> parse_mounts(std::string_view mountinfo)
{
    std::optional<Mount> root;
    Mounts mounts;
    while (!mountinfo.empty()) {
        const auto mount = parse_mount(take_line(mountinfo));
        if (!mount) continue;
        if (mount->point == "/")
            root = mount; // the last one covers those before it
        else if (!mount->read_only && !is_kernels_own(*mount))
            mounts.writable.emplace_back(mount->point);
    }
    if (!root) return std::nullopt;
    mounts.root_read_only = root->read_only;
    return mounts;
}

std::optional<DescriptorLimit> parse_descriptor_limit(std::string_view limits)
{
    constexpr std::string_view kRow = "Max open files";
    while (!limits.empty()) {
        std::string_view line = take_line(limits);
        if (!line.starts_with(kRow)) continue;
        line.remove_prefix(kRow.size());
        const auto soft = parse_number<std::uint64_t>(take_word(line));
        const auto hard = parse_number<std::uint64_t>(take_word(line));
        if (soft && hard) return DescriptorLimit{*soft, *hard};
    }
    return std::nullopt;
}

std::vector<Secret> parse_secrets(std::string_view environment_block)
{
    std::vector<Secret> found;
    while (!environment_block.empty()) {
        const std::size_t end = std::min(environment_block.find('\0'), environment_block.size());
        const std::string_view entry = environment_block.substr(0, end);
        environment_block.remove_prefix(std::min(end + 1, environment_block.size()));
        const std::size_t equals = entry.find('=');
        if (equals == std::string_view::npos) continue;
        const std::string_view variable = entry.substr(0, equals);
        const Kind kind = kind_of(variable, entry.substr(equals + 1));
        if (kind != Kind::plain) found.push_back({std::string{variable}, kind == Kind::private_key});
    }
    return found;
}

} // namespace sallyport::audit

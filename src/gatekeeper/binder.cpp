#include "binder.hpp"

#include <cerrno>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "diagnosis.hpp"
#include "port_holder.hpp"
#include "sallyport/base/start_error.hpp"
#include "sallyport/log/log.hpp"
#include "sallyport/sys/bind_facts.hpp"
#include "sallyport/sys/capabilities.hpp"
#include "sallyport/sys/listen_socket.hpp"
#include "sallyport/sys/process.hpp"

namespace sallyport::gatekeeper {

namespace {

/// What listens on the port already lets sockets of ours take other addresses of it: a reload that goes from ":443" to
/// "10.0.0.1:443" has both for a while. False: nothing of ours does.
bool lend_port(const std::vector<OpenListener>& open, std::uint16_t port)
{
    bool found = false;
    for (const OpenListener& one : open) {
        if (port == 0 || port_of(one.bind) != port) continue;
        for (const UniqueFd& socket : one.bound.sockets)
            found = sys::share_port(socket.get()).has_value() || found;
    }
    return found;
}

constexpr int kNone = -1;

class Binder {
public:
    Binder(const std::vector<PlannedListener>& plan, const std::vector<PassedSocket>& passed,
           const std::vector<OpenListener>& open)
        : plan_{plan}, passed_{passed}, open_{open}
    {
    }

    Bound bind();

private:
    bool take_open(std::size_t index);
    void bind_tcp(std::size_t index);
    void bind_unix(std::size_t index, const SocketAddress& address);
    void adopt(std::size_t index, int number);
    void adopt_named(std::size_t index, const std::string& wanted);
    void keep(std::size_t index, std::vector<UniqueFd> sockets);
    [[noreturn]] void refuse(const config::Bind& bind, const Error& error) const;

    const std::vector<PlannedListener>& plan_;
    const std::vector<PassedSocket>& passed_;
    const std::vector<OpenListener>& open_;
    std::set<int> adopted_;
    Bound bound_;
};

Bound Binder::bind()
{
    for (std::size_t index = 0; index < plan_.size(); ++index) {
        const config::Bind& wanted = plan_[index].bind;
        if (take_open(index)) continue;
        if (const auto* fd = std::get_if<config::InheritedFd>(&wanted.where))
            adopt(index, fd->number);
        else if (const auto* unit = std::get_if<config::SystemdName>(&wanted.where))
            adopt_named(index, unit->name);
        else if (const auto* address = std::get_if<SocketAddress>(&wanted.where); address && address->is_unix())
            bind_unix(index, *address);
        else
            bind_tcp(index);
    }
    return std::move(bound_);
}

/// systemd may have passed several for one name.
bool Binder::take_open(std::size_t index)
{
    const config::Bind& wanted = plan_[index].bind;
    bool found = false;
    for (const OpenListener& open : open_) {
        if (open.bind.where != wanted.where) continue;
        bound_.listeners.push_back(duplicate(open.bound));
        bound_.listeners.back().listener = index;
        found = true;
    }
    return found;
}

Result<UniqueFd> listen_at(const config::Bind& bind, bool reuse_port, sys::Listens listens)
{
    if (const auto* address = std::get_if<SocketAddress>(&bind.where))
        return sys::listen_tcp(*address, reuse_port, listens);
    return sys::listen_any(std::get<config::AnyAddress>(bind.where).port, reuse_port, listens);
}

/// The capability is effective while this one socket is made, and not a moment longer.
Result<UniqueFd> listen_by(Path path, const config::Bind& bind, bool reuse_port, sys::Listens listens)
{
    if (path != Path::capability) return listen_at(bind, reuse_port, listens);
    const sys::RaisedNetBindService raised;
    return listen_at(bind, reuse_port, listens);
}

void Binder::bind_tcp(std::size_t index)
{
    const auto& [bind, path, shared, count] = plan_[index];
    // Clients of our own wider address stay with it until a worker is born to the new one.
    const bool is_lent = lend_port(open_, port_of(bind));
    const sys::Listens listens = is_lent ? sys::Listens::later : sys::Listens::now;
    // SO_REUSEPORT would let two Sallyports of one user share a port unnoticed: first try without.
    if (count > 1 && !is_lent)
        if (auto alone = listen_by(path, bind, false, listens); !alone) refuse(bind, alone.error());
    std::vector<UniqueFd> sockets;
    for (unsigned i = 0; i < count; ++i) {
        Result<UniqueFd> socket = listen_by(path, bind, count > 1 || is_lent, listens);
        if (!socket) refuse(bind, socket.error());
        sockets.push_back(std::move(*socket));
    }
    keep(index, std::move(sockets));
    bound_.listeners.back().listens_later = is_lent;
}

void Binder::bind_unix(std::size_t index, const SocketAddress& address)
{
    const config::Bind& bind = plan_[index].bind;
    Result<UniqueFd> socket = sys::listen_unix(address, bind.socket_mode);
    if (!socket) refuse(bind, socket.error());
    if (!address.unix_path().empty()) bound_.files.emplace_back(address);
    std::vector<UniqueFd> sockets;
    sockets.push_back(std::move(*socket));
    keep(index, std::move(sockets));
}

void Binder::adopt(std::size_t index, int number)
{
    const std::string& text = plan_[index].bind.text;
    if (!adopted_.insert(number).second)
        throw StartError{ExitCode::configuration, text + ": descriptor " + std::to_string(number) +
                                                      " is another listener's already; give each its own"};
    Result<UniqueFd> socket = sys::adopt_listening(sys::is_inherited(number) ? number : kNone);
    if (!socket)
        throw StartError{ExitCode::configuration,
                         text + ": descriptor " + std::to_string(number) +
                             " is not a listening stream socket; whoever starts Sallyport has to bind it, listen(2) on "
                             "it and leave it open across exec"};
    std::vector<UniqueFd> sockets;
    sockets.push_back(std::move(*socket));
    keep(index, std::move(sockets));
}

void Binder::adopt_named(std::size_t index, const std::string& wanted)
{
    const std::vector<int> numbers = numbers_named(passed_, wanted);
    for (const int number : numbers)
        adopt(index, number);
    if (!numbers.empty()) return;
    std::string known;
    for (const PassedSocket& socket : passed_)
        known += (known.empty() ? "" : ", ") + socket.name;
    throw StartError{ExitCode::configuration,
                     plan_[index].bind.text +
                         ": systemd passed no socket of this name (it passed: " + (known.empty() ? "none" : known) +
                         "); FileDescriptorName=" + wanted + " in the socket unit gives it"};
}

void Binder::keep(std::size_t index, std::vector<UniqueFd> sockets)
{
    const PlannedListener& planned = plan_[index];
    const auto address = sys::local_address(sockets.front().get());
    log::audit("socket bound", {{"bind", planned.bind.text},
                                {"address", address ? address->text() : "unknown"},
                                {"path", name(planned.path)},
                                {"capability_used", planned.path == Path::capability},
                                {"sockets", sockets.size()}});
    bound_.listeners.push_back({.listener = index,
                                .shared = planned.shared,
                                .is_inherited = planned.path == Path::inherited,
                                .sockets = std::move(sockets)});
}

std::string executable_path()
{
    std::string path(4096, '\0');
    const ssize_t size = ::readlink("/proc/self/exe", path.data(), path.size());
    path.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return path.empty() ? "sallyport" : path;
}

std::string unix_refusal(const config::Bind& bind)
{
    return "cannot make the socket " + bind.text + ": permission denied; user " + std::to_string(::geteuid()) +
           " must be able to write to its directory";
}

std::string in_use(const config::Bind& bind)
{
    const std::uint16_t port = port_of(bind);
    if (port == 0)
        return "cannot bind " + bind.text +
               ": another process listens there, or the path is a file of another kind; "
               "stop it, remove the file or choose another path";
    const std::string holder = holder_of(port);
    return "cannot bind " + bind.text + ": port " + std::to_string(port) + " is already taken" +
           (holder.empty() ? "" : " by " + holder) + "; stop it or choose another port";
}

void Binder::refuse(const config::Bind& bind, const Error& error) const
{
    const std::uint16_t port = port_of(bind);
    if (error.fault == Fault::forbidden && port == 0) throw StartError{ExitCode::permission, unix_refusal(bind)};
    if (error.fault == Fault::forbidden)
        throw StartError{ExitCode::permission,
                         diagnosis(bind.text,
                                   {.port = port, .lowest_port = lowest_port(plan_), .executable = executable_path()},
                                   sys::collect_bind_facts())};
    if (error.cause == std::errc::address_in_use) throw StartError{ExitCode::unavailable, in_use(bind)};
    throw StartError{ExitCode::unavailable, "cannot bind " + bind.text + ": " + error.cause.message() +
                                                (error.cause == std::errc::address_not_available
                                                     ? "; no interface of this machine or container has that address"
                                                     : "")};
}

std::optional<struct stat> file_at(const SocketAddress& address)
{
    struct stat file{};
    if (::lstat(address.unix_path().c_str(), &file) != 0) return std::nullopt;
    return file;
}

} // namespace

BoundListener duplicate(const BoundListener& listener)
{
    BoundListener copy{
        .listener = listener.listener, .shared = listener.shared, .is_inherited = listener.is_inherited, .sockets = {}};
    for (const UniqueFd& socket : listener.sockets) {
        copy.sockets.emplace_back(::fcntl(socket.get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
        if (!copy.sockets.back())
            throw StartError{ExitCode::os_error, "cannot duplicate a listening socket: " + last_errno().message()};
    }
    return copy;
}

Bound bind_all(const std::vector<PlannedListener>& plan, const std::vector<PassedSocket>& passed,
               const std::vector<OpenListener>& open)
{
    return Binder{plan, passed, open}.bind();
}

SocketFile::SocketFile(const SocketAddress& address) : address_{address}
{
    if (const auto file = file_at(address_)) {
        device_ = file->st_dev;
        inode_ = file->st_ino;
    }
}

SocketFile::SocketFile(SocketFile&& other) noexcept
    : address_{other.address_}, device_{other.device_}, inode_{std::exchange(other.inode_, 0)}
{
}

SocketFile& SocketFile::operator=(SocketFile&& other) noexcept
{
    std::swap(address_, other.address_);
    std::swap(device_, other.device_);
    std::swap(inode_, other.inode_);
    return *this;
}

SocketFile::~SocketFile()
{
    const auto file = file_at(address_);
    if (inode_ == 0 || !file || file->st_dev != device_ || file->st_ino != inode_) return;
    if (const auto removed = sys::remove_socket_file(address_); !removed)
        log::warn("socket file left behind",
                  {{"path", address_.unix_path()}, {"reason", removed.error().cause.message()}});
}

void SocketFile::give_to(uid_t uid, gid_t gid) const
{
    if (::lchown(address_.unix_path().c_str(), uid, gid) != 0)
        log::warn("socket file keeps its owner", {{"path", address_.unix_path()}, {"reason", last_errno().message()}});
}

void give_to(const Bound& bound, uid_t uid, gid_t gid)
{
    for (const SocketFile& file : bound.files)
        file.give_to(uid, gid);
    for (const BoundListener& listener : bound.listeners)
        for (const UniqueFd& socket : listener.sockets)
            if (!listener.is_inherited && ::fchown(socket.get(), uid, gid) != 0)
                log::warn("listening socket keeps its owner", {{"reason", last_errno().message()}});
}

} // namespace sallyport::gatekeeper

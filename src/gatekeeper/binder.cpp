#include "binder.hpp"

#include <cerrno>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include <sys/stat.h>
#include <unistd.h>

#include "diagnosis.hpp"
#include "port_holder.hpp"
#include "sallyport/base/start_error.hpp"
#include "sallyport/log/log.hpp"
#include "sallyport/sys/bind_facts.hpp"
#include "sallyport/sys/capabilities.hpp"
#include "sallyport/sys/listen_socket.hpp"

namespace sallyport::gatekeeper {

namespace {

class Binder {
public:
    Binder(const std::vector<PlannedListener>& plan, const std::vector<PassedSocket>& passed)
        : plan_{plan}, passed_{passed}
    {
    }

    Bound bind();

private:
    void bind_tcp(std::size_t index);
    void bind_unix(std::size_t index, const SocketAddress& address);
    void adopt(std::size_t index, int number);
    void adopt_named(std::size_t index, const std::string& wanted);
    void keep(std::size_t index, std::vector<UniqueFd> sockets);
    [[noreturn]] void refuse(const config::Bind& bind, const Error& error) const;

    const std::vector<PlannedListener>& plan_;
    const std::vector<PassedSocket>& passed_;
    std::set<int> adopted_;
    Bound bound_;
};

Bound Binder::bind()
{
    for (std::size_t index = 0; index < plan_.size(); ++index) {
        const config::Bind& wanted = plan_[index].bind;
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

Result<UniqueFd> listen_at(const config::Bind& bind, bool reuse_port)
{
    if (const auto* address = std::get_if<SocketAddress>(&bind.where)) return sys::listen_tcp(*address, reuse_port);
    return sys::listen_any(std::get<config::AnyAddress>(bind.where).port, reuse_port);
}

/// The capability is effective while this one socket is made, and not a moment longer.
Result<UniqueFd> listen_by(Path path, const config::Bind& bind, bool reuse_port)
{
    if (path != Path::capability) return listen_at(bind, reuse_port);
    const sys::RaisedNetBindService raised;
    return listen_at(bind, reuse_port);
}

void Binder::bind_tcp(std::size_t index)
{
    const auto& [bind, path, shared, count] = plan_[index];
    std::vector<UniqueFd> sockets;
    // SO_REUSEPORT would let two Sallyports of one user share a port unnoticed: first try without.
    if (count > 1)
        if (auto alone = listen_by(path, bind, false); !alone) refuse(bind, alone.error());
    for (unsigned i = 0; i < count; ++i) {
        Result<UniqueFd> socket = listen_by(path, bind, count > 1);
        if (!socket) refuse(bind, socket.error());
        sockets.push_back(std::move(*socket));
    }
    keep(index, std::move(sockets));
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
    Result<UniqueFd> socket = sys::adopt_listening(number);
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
    bound_.listeners.push_back({.listener = index, .shared = planned.shared, .sockets = std::move(sockets)});
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

Bound bind_all(const std::vector<PlannedListener>& plan, const std::vector<PassedSocket>& passed)
{
    return Binder{plan, passed}.bind();
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

} // namespace sallyport::gatekeeper

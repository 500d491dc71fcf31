#include "admin_socket.hpp"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "sallyport/base/start_error.hpp"
#include "sallyport/log/log.hpp"
#include "sallyport/sys/listen_socket.hpp"

namespace sallyport::gatekeeper {

namespace {

constexpr mode_t kMode = 0660;

Result<UniqueFd> listen_at(const SocketAddress& address)
{
    return address.is_unix() ? sys::listen_unix(address, kMode) : sys::listen_tcp(address, false);
}

[[noreturn]] void refuse(const SocketAddress& address, const Error& error)
{
    const bool forbidden = error.fault == Fault::forbidden;
    throw StartError{forbidden ? ExitCode::permission : ExitCode::unavailable,
                     "cannot bind the admin endpoint " + address.text() + ": " + error.cause.message() +
                         "; choose another place for admin.bind: auto needs neither a directory nor a right"};
}

} // namespace

AdminSocket bind_admin(const config::Config& config)
{
    AdminSocket admin;
    const auto address = config::admin_address(config);
    if (!address) return admin;
    Result<UniqueFd> bound = listen_at(*address);
    if (!bound && config.admin.bind.kind == config::AdminBind::Kind::given) refuse(*address, bound.error());
    if (!bound) {
        log::warn("no admin endpoint", {{"bind", address->text()},
                                        {"reason", bound.error().cause.message()},
                                        {"remedy", "end the other Sallyport with these listeners, or set admin.bind"}});
        return admin;
    }
    admin.socket = std::move(*bound);
    if (!address->unix_path().empty()) admin.file.emplace(*address);
    log::audit("admin endpoint bound", {{"bind", address->text()}});
    return admin;
}

void AdminSocket::tell(Settings& settings, const config::Config& config, std::uint32_t uid) const
{
    if (!socket) return;
    const SocketAddress address = config::admin_address(config).value();
    constexpr auto kMost = std::int64_t{std::numeric_limits<std::uint32_t>::max()};
    settings.admin_fd = socket.get();
    settings.admin = ipc::Admin{.bind = address.text(),
                                .checks_peer = address.is_unix() && address.unix_path().empty(),
                                .uid = uid,
                                .timeout_ms = static_cast<std::uint32_t>(std::min(config.admin.timeout.count(), kMost)),
                                .connections_max = config.admin.max_connections};
}

} // namespace sallyport::gatekeeper

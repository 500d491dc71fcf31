#include "service_manager.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <system_error>
#include <utility>

#include <sys/socket.h>
#include <sys/un.h>

#include "sallyport/base/unique_fd.hpp"
#include "sallyport/log/log.hpp"

namespace sallyport::gatekeeper {

void ServiceManager::serving()
{
    if (!std::exchange(has_served_, true)) tell("READY=1");
}

void ServiceManager::tell(std::string_view state) const
{
    sockaddr_un place{};
    if (address_.empty()) return;
    place.sun_family = AF_UNIX;
    std::ranges::copy_n(address_.begin(), static_cast<std::ptrdiff_t>(std::min(address_.size(), sizeof place.sun_path)),
                        place.sun_path);
    if (place.sun_path[0] == '@') place.sun_path[0] = '\0';
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());
    const UniqueFd socket{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    errno = ENAMETOOLONG;
    const bool is_sent =
        address_.size() <= sizeof place.sun_path && ::sendto(socket.get(), state.data(), state.size(), MSG_NOSIGNAL,
                                                             reinterpret_cast<const sockaddr*>(&place), size) >= 0;
    if (!is_sent)
        log::warn("systemd was not told", {{"state", state}, {"reason", std::generic_category().message(errno)}});
}

} // namespace sallyport::gatekeeper

#include "mend_listeners.hpp"

#include <utility>

#include "sallyport/log/log.hpp"
#include "sallyport/sys/listen_socket.hpp"

namespace sallyport::gatekeeper {

std::vector<int> mend_listeners(std::vector<BoundListener>& listeners, const Settings& settings)
{
    std::vector<int> listening;
    for (BoundListener& listener : listeners) {
        const bool is_new = std::exchange(listener.listens_later, false);
        const std::string& bind = settings.listeners.at(listener.listener).bind;
        for (const UniqueFd& socket : listener.sockets) {
            const Result<bool> mended = sys::keep_listening(socket.get());
            if (!mended)
                log::error("listener is lost",
                           {{"bind", bind}, {"reason", mended.error().cause.message()}, {"remedy", "restart"}});
            else if (*mended && !is_new)
                log::audit("listening again", {{"bind", bind}, {"reason", "a worker had stopped the socket"}});
            if (mended) listening.push_back(socket.get());
        }
    }
    return listening;
}

} // namespace sallyport::gatekeeper

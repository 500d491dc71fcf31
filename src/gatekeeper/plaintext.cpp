#include "plaintext.hpp"

#include "sallyport/log/log.hpp"
#include "sallyport/sys/listen_socket.hpp"

namespace sallyport::gatekeeper {

void warn_of_plaintext(const std::vector<ipc::Listener>& listeners, const std::vector<BoundListener>& bound)
{
    for (const BoundListener& one : bound) {
        const ipc::Listener& listener = listeners.at(one.listener);
        const bool is_meant = listener.site.otherwise == ipc::Otherwise::redirect;
        if (!listener.is_plaintext() || is_meant || one.sockets.empty()) continue;
        const auto address = sys::local_address(one.sockets.front().get());
        if (!address || address->is_unix() || address->is_loopback()) continue;
        log::warn("requests are forwarded without TLS",
                  {{"listener", listener.bind},
                   {"address", address->text()},
                   {"remedy", "give it 'tls', or 'redirect: https', or bind it to 127.0.0.1; if something before it "
                              "speaks TLS, name that in 'trusted_proxies'"}});
    }
}

} // namespace sallyport::gatekeeper

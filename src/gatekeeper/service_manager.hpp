// What systemd is told of our life (sd_notify(3)), where it asks: it names a socket in NOTIFY_SOCKET.
#pragma once

#include <string>
#include <string_view>

namespace sallyport::gatekeeper {

/// Thread: one. Nothing blocks.
class ServiceManager {
public:
    /// `address` is a path, or '@' and an abstract name. Empty: nobody wants to know.
    explicit ServiceManager(std::string_view address) : address_{address} {}

    /// Once, however often it is called.
    void serving();
    void stopping() const { tell("STOPPING=1"); }

private:
    void tell(std::string_view state) const;

    std::string address_;
    bool has_served_{false};
};

} // namespace sallyport::gatekeeper

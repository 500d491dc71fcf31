// What the worker's first thread does while the shards serve: obey the gatekeeper, follow the keyholder.
#pragma once

#include <string_view>

#include "sallyport/base/start_error.hpp"
#include "sallyport/sys/channel.hpp"
#include "sallyport/tls/key_supply.hpp"
#include "settings.hpp"
#include "shards.hpp"

namespace sallyport::worker {

/// Owns the conversation from Serve to the end. Thread: the control thread.
class Control {
public:
    /// Asks the keyholder for the certificates and builds the shards. Throws StartError.
    Control(sys::Channel& control, Settings settings);

    /// Starts the shards' threads: the last ones that the process makes.
    void start() { shards_.start(); }

    /// After `start`: lets them accept, says Ready, and obeys until the shards have ended. The code to exit with.
    [[nodiscard]] ExitCode obey();

private:
    [[nodiscard]] bool hear_gatekeeper();
    void hear_keyholder();
    void follow_new_keyholder(std::vector<UniqueFd> descriptors);
    void lose_keyholder(std::string_view reason);
    void use_certificates();
    void use_tickets();
    void report_end();
    [[nodiscard]] ExitCode stop();

    sys::Channel& gatekeeper_;
    Settings settings_;
    std::uint32_t certificates_;
    tls::KeySupply supply_;
    bool keyholder_lives_{true};
    std::uint32_t introductions_{1}; ///< the first came with the settings
    Shards shards_;
};

} // namespace sallyport::worker

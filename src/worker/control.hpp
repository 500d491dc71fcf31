// What the worker's first thread does while the shards serve: obey the gatekeeper, follow the keyholder.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "overview.hpp"
#include "sallyport/admin/server.hpp"
#include "sallyport/base/start_error.hpp"
#include "sallyport/privsep/confine.hpp"
#include "sallyport/sys/channel.hpp"
#include "sallyport/tls/key_supply.hpp"
#include "settings.hpp"
#include "shards.hpp"

namespace sallyport::worker {

/// Owns the conversation from Serve to the end. Thread: the control thread.
class Control {
public:
    /// Asks the keyholder for the certificates and builds the shards. Throws StartError.
    Control(sys::Channel& control, Settings settings, const privsep::Confined& confined);

    /// Starts the shards' threads: the last ones that the process makes.
    void start() { shards_->start(); }

    /// After `start`: lets them accept, says Ready, and obeys until the shards have ended. The code to exit with.
    [[nodiscard]] ExitCode obey();

private:
    void open_admin();
    [[nodiscard]] int patience() const;
    void begin_drain(const ipc::Drain& order);
    [[nodiscard]] bool hear_gatekeeper();
    void hear_keyholder();
    void follow_new_keyholder(std::vector<UniqueFd> descriptors);
    void lose_keyholder(std::string_view reason);
    [[nodiscard]] tls::Credentials describe_first();
    void use_certificates();
    void go_on_changing();
    void refuse(const std::string& reason);
    void adopt();
    void use_tickets();
    void report_end();
    [[nodiscard]] ExitCode stop();

    sys::Channel& gatekeeper_;
    Settings settings_;
    std::uint32_t certificates_;
    tls::KeySupply supply_;
    bool keyholder_lives_{true};
    std::uint32_t introductions_{1};            ///< the first came with the settings
    std::vector<std::uint32_t> adopted_;        ///< the keys that handshakes use
    std::optional<tls::Credentials> candidate_; ///< those of the changeover
    bool again_{false};                         ///< there was news during the changeover
    metrics::WorkerPage page_;
    std::optional<Shards> shards_; ///< built of the first certificates
    std::optional<Overview> overview_;
    std::optional<admin::Server> admin_; ///< last: it asks the others
};

} // namespace sallyport::worker

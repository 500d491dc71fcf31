// The configuration in force, and how the next one is read: from the same file, environment and flags.
#pragma once

#include <expected>
#include <functional>
#include <optional>
#include <vector>

#include "admin_socket.hpp"
#include "binder.hpp"
#include "bypass.hpp"
#include "family.hpp"
#include "sallyport/config/load.hpp"
#include "settings.hpp"
#include "supervisor.hpp"

namespace sallyport::gatekeeper {

/// Everything that has an effect on what the processes are told.
struct Surroundings {
    std::function<std::expected<config::Config, std::vector<config::Diagnostic>>()> load;
    Machine machine;
    int audit_fd{-1};
    bool runs_app{false}; ///< `run -- command…`
};

/// The children's settings. Thread: any. Errors: as settings_of.
[[nodiscard]] Settings settings_in(const Surroundings& around, const config::Config& config);

/// Which sockets to bind, with the rights of this moment.
[[nodiscard]] std::vector<PlannedListener> bind_plan(const config::Config& config, const Machine& machine);
[[nodiscard]] std::vector<PassedSocket> sockets_of_systemd();

/// Owns: the admin endpoint's socket, the files of Unix sockets. Borrows: the watch. Thread: one.
class InForce final : public NextConfiguration {
public:
    InForce(Surroundings around, config::Config config, std::vector<SocketFile> files, AdminSocket admin,
            BypassWatch& watch);

    /// What takes a restart is refused (see refuse_what_is_fixed), and, if strict, an app that others reach. Logs every
    /// mistake, and what changes.
    [[nodiscard]] std::optional<GenerationPlan> read_anew(Family& family) override;
    void settle(const Family& family, bool in_force) override;
    /// Closes what was inherited of listening sockets, and was left open for later configurations.
    void let_go() override;

private:
    struct Candidate {
        config::Config config;
        std::vector<SocketFile> files;
        std::optional<AdminSocket> admin; ///< none: it stays where it is
    };

    [[nodiscard]] config::Config load() const;
    void refuse_what_is_fixed(const config::Config& next) const;
    void refuse_exposed(const Settings& next, const Bound& bound, const Family& family) const;
    [[nodiscard]] std::vector<OpenListener> open_listeners(const Family& family) const;

    Surroundings around_;
    config::Config config_;
    std::vector<SocketFile> files_;
    AdminSocket admin_;
    BypassWatch& watch_;
    std::optional<Candidate> candidate_;
};

} // namespace sallyport::gatekeeper

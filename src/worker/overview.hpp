// What the admin endpoint tells of this worker, and of those before it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sallyport/admin/view.hpp"
#include "sallyport/privsep/confine.hpp"
#include "sallyport/tls/credentials.hpp"
#include "settings.hpp"
#include "shards.hpp"

namespace sallyport::worker {

/// Borrows: the settings, the shards. Thread: the control thread.
class Overview final : public admin::View {
public:
    Overview(const Settings& settings, const privsep::Confined& confined, Shards& shards);

    /// These certificates are in force now.
    void show(const tls::Credentials& credentials);
    /// Whose files the keyholder refuses; those in force stay.
    void set_certificates_wrong(std::uint32_t count) { certificates_wrong_ = count; }
    /// This worker, the latest that it was offered; those in force stay.
    void set_refuses_certificates(bool refuses) { refuses_certificates_ = refuses; }
    void set_keyholder(bool lives) { keyholder_lives_ = lives; }
    /// The end has been asked for, though this worker may serve and accept for a while yet. Nothing revokes it.
    void set_draining() { draining_ = true; }

    [[nodiscard]] std::vector<std::string> unready() override;
    [[nodiscard]] admin::Status status() override;
    void ask_shards() override { shards_.ask(); }
    [[nodiscard]] std::vector<std::size_t> silent_shards() override { return shards_.silent(); }

private:
    [[nodiscard]] std::string list_of_absent() const;
    [[nodiscard]] metrics::Sum sum() const;
    [[nodiscard]] std::vector<metrics::UpstreamFacts> upstreams() const;

    const Settings& settings_;
    Shards& shards_;
    const metrics::HouseFigures& house_;
    metrics::PostureFacts posture_;
    std::uint64_t started_;
    std::vector<metrics::CertificateFacts> certificates_;
    std::uint32_t certificates_wrong_{0};
    bool refuses_certificates_{false};
    bool keyholder_lives_{true};
    bool draining_{false};
};

} // namespace sallyport::worker

// Every metric with its name, its help and its samples; and their two forms. The names are public: append, never
// rename.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sallyport/metrics/figures.hpp"

namespace sallyport::metrics {

struct Label {
    std::string_view name;
    std::string value;
};

struct Sample {
    std::string_view suffix{}; ///< "_bucket", "_sum", "_count" of a histogram
    std::vector<Label> labels{};
    double value{};
};

struct Family {
    std::string_view name;
    std::string_view type; ///< "counter", "gauge", "histogram"
    std::string_view help;
    std::vector<Sample> samples{};
};

/// Public facts of a certificate in force.
struct CertificateFacts {
    std::uint32_t index{};          ///< the keyholder's
    std::vector<std::string> names; ///< or addresses
    std::string key_type;
    std::string spki_sha256;
    std::int64_t not_before{}; ///< seconds since the epoch
    std::int64_t not_after{};
};

struct UpstreamFacts {
    std::string name;
    std::vector<std::string> addresses;
    /// Whether the latest attempt to connect has succeeded; unknown before the first.
    enum class State : std::uint8_t { unknown, up, down } state{State::unknown};
};

/// What the kernel lets the worker do.
struct PostureFacts {
    std::string level;    ///< as configured
    std::string seccomp;  ///< what is in force
    std::string landlock; ///< likewise: "files,network,scopes"
    std::vector<std::string> lacking;
};

/// All that is known at one moment.
struct Picture {
    std::string version;
    std::string build;
    std::uint64_t started{}; ///< seconds since the epoch: the newest worker
    bool ready{};
    bool keyholder_lives{};
    std::uint32_t certificates_wrong{}; ///< whose files the keyholder refuses now
    bool refuses_certificates{};        ///< the worker: the latest that it was offered
    std::size_t shards{};
    const HouseFigures* house{nullptr};
    Sum sum;
    std::vector<CertificateFacts> certificates{};
    std::vector<UpstreamFacts> upstreams{};
    PostureFacts posture{};
};

[[nodiscard]] std::vector<Family> families_of(const Picture& picture);

/// Prometheus's text format 0.0.4.
[[nodiscard]] std::string exposition(const std::vector<Family>& families);

} // namespace sallyport::metrics

// What is counted, as it lies in the pages that the gatekeeper makes and the worker maps. All of it is 64-bit slots,
// each with one writer, and 0 at first.
//
//   a worker's page:   WorkerFigures, then ShardFigures for each shard. It outlives the worker: the next one reads it.
//   the house's page:  HouseFigures, written by the gatekeeper.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

#include "sallyport/metrics/counter.hpp"
#include "sallyport/metrics/names.hpp"

namespace sallyport::metrics {

/// Plain text of clients, heads and frames included, as it went through TLS.
struct Traffic {
    Counter from_clients;
    Counter to_clients;
};

/// Written by a shard.
struct ShardFigures {
    Counter accepted;
    std::array<Counter, kAcceptFailures.size()> accept_failures;
    std::array<Counter, kEnds> ended;
    std::array<Counter, kHandshakes> handshakes;
    std::array<Counter, kHandshakeFailures.size()> handshake_failures;
    Histogram handshake_time;
    Traffic traffic;
    std::array<Counter, kStatusClasses.size()> exchanges;
    std::array<Counter, kExchangeFailures.size()> exchange_failures;
    Histogram exchange_time;
    Counter let_in;   ///< times at which it began to accept; the first shard tells for all
    Counter met_apps; ///< times at which every app had accepted, where that was waited for; likewise
};

/// What became of certificates that came anew.
struct Rotations {
    Counter taken;
    Counter refused;
    Gauge taken_at; ///< milliseconds since the epoch; 0: never
    Gauge refused_at;

    /// The one call for whoever rotates.
    void note(bool is_taken, std::uint64_t now);
};

/// Written by a worker's control thread.
struct WorkerFigures {
    Rotations rotations;
};

/// Written by the gatekeeper.
struct HouseFigures {
    Counter workers_born;
    Counter workers_died; ///< not those that ended in good order
    Counter keyholders_born;
    Counter keyholders_died;
    Rotations rotations; ///< only what the keyholder has refused: the worker tells what it has taken
    Gauge generations;   ///< workers that live
    Gauge draining;
    Gauge exposed;   ///< apps that are reachable past us
    Gauge forbidden; ///< and that forbids to serve
};

static_assert(std::is_standard_layout_v<ShardFigures> && std::is_trivial_v<ShardFigures>);
static_assert(std::is_standard_layout_v<WorkerFigures> && std::is_trivial_v<WorkerFigures>);
static_assert(std::is_standard_layout_v<HouseFigures> && std::is_trivial_v<HouseFigures>);

[[nodiscard]] constexpr std::size_t worker_page_size(std::size_t shards)
{
    return sizeof(WorkerFigures) + shards * sizeof(ShardFigures);
}

/// One worker's figures in their page, which outlives this. Borrows: the bytes, aligned to 8.
class WorkerPage {
public:
    WorkerPage() = default;
    /// Of `worker_page_size(n)` bytes; what is left over is not looked at.
    explicit WorkerPage(std::span<std::byte> bytes);

    [[nodiscard]] WorkerFigures& worker() const { return *worker_; }
    [[nodiscard]] std::span<ShardFigures> shards() const { return shards_; }

private:
    WorkerFigures* worker_{nullptr};
    std::span<ShardFigures> shards_;
};

/// All figures of some workers together. A value; no other thread knows of it.
struct Sum {
    WorkerFigures worker{};
    ShardFigures shards{};

    /// Adds what the page holds now.
    void add(const WorkerPage& page);
    [[nodiscard]] std::uint64_t ended() const;
    /// Never below 0, whenever the slots were read.
    [[nodiscard]] std::uint64_t open() const;
};

/// The worker of this page has died: what it had open ends as `End::crashed`. By whoever knows that it is dead.
void settle(const WorkerPage& page);

} // namespace sallyport::metrics

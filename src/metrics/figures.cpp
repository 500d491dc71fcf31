#include "sallyport/metrics/figures.hpp"

#include <algorithm>

namespace sallyport::metrics {

namespace {

/// A structure of counters as the list of them.
template <typename Figures>
std::span<Counter> counters_of(Figures& figures)
{
    static_assert(sizeof(Figures) % sizeof(Counter) == 0);
    return {reinterpret_cast<Counter*>(&figures), sizeof(Figures) / sizeof(Counter)};
}

void add_each(ShardFigures& sum, ShardFigures& more)
{
    const auto from = counters_of(more);
    const auto into = counters_of(sum);
    for (std::size_t i = 0; i < into.size(); ++i)
        into[i].add(from[i].read());
}

void add_rotations(Rotations& sum, const Rotations& more)
{
    sum.taken.add(more.taken.read());
    sum.refused.add(more.refused.read());
    sum.taken_at.set(std::max(sum.taken_at.read(), more.taken_at.read()));
    sum.refused_at.set(std::max(sum.refused_at.read(), more.refused_at.read()));
}

} // namespace

void Rotations::note(bool is_taken, std::uint64_t now)
{
    (is_taken ? taken : refused).add();
    (is_taken ? taken_at : refused_at).set(now);
}

WorkerPage::WorkerPage(std::span<std::byte> bytes)
{
    if (bytes.size() < sizeof(WorkerFigures)) return;
    worker_ = reinterpret_cast<WorkerFigures*>(bytes.data());
    const auto rest = bytes.subspan(sizeof(WorkerFigures));
    shards_ = {reinterpret_cast<ShardFigures*>(rest.data()), rest.size() / sizeof(ShardFigures)};
}

void Sum::add(const WorkerPage& page)
{
    if (page.shards().empty()) return;
    add_rotations(worker.rotations, page.worker().rotations);
    for (ShardFigures& shard : page.shards())
        add_each(shards, shard);
}

std::uint64_t Sum::ended() const
{
    std::uint64_t ended = 0;
    for (const Counter& one : shards.ended)
        ended += one.read();
    return ended;
}

std::uint64_t Sum::open() const
{
    return shards.accepted.read() - std::min(shards.accepted.read(), ended());
}

void settle(const WorkerPage& page)
{
    for (ShardFigures& shard : page.shards()) {
        std::uint64_t ended = 0;
        for (const Counter& one : shard.ended)
            ended += one.read();
        shard.ended[slot_of(End::crashed)].add(shard.accepted.read() - std::min(shard.accepted.read(), ended));
    }
}

} // namespace sallyport::metrics

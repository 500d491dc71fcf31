#include "changeover.hpp"

#include <sys/eventfd.h>

#include "sallyport/base/contract.hpp"
#include "sallyport/base/start_error.hpp"

namespace sallyport::worker {

Changeover::Changeover(const Shards& shards) : shards_{shards}, told_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)}
{
    if (!told_) throw StartError{ExitCode::os_error, "eventfd: " + last_errno().message()};
}

void Changeover::begin(std::vector<Contexts> built)
{
    SALLYPORT_ASSERT(!under_way());
    built_ = std::move(built);
    in_place_ = false;
    rehearsals_.clear();
    for (const auto& contexts : built_.front())
        for (std::size_t i = 0; contexts && i < contexts->rehearsals(); ++i)
            rehearsals_.emplace_back(&*contexts, i);
    if (!rehearse_next()) put_in_place();
}

std::optional<std::expected<void, std::string>> Changeover::go_on()
{
    eventfd_t count{};
    static_cast<void>(::eventfd_read(told_.get(), &count));
    if (to_tell_.load(std::memory_order_acquire) != 0 || !under_way()) return std::nullopt;
    if (rehearsed_ && !in_place_) {
        if (!rehearse_next()) put_in_place();
        return std::nullopt;
    }
    built_.clear();
    return std::exchange(rehearsed_, {});
}

/// False: all have gone well.
bool Changeover::rehearse_next()
{
    if (rehearsals_.empty()) return false;
    const auto [contexts, which] = rehearsals_.back();
    rehearsals_.pop_back();
    to_tell_ = 1;
    shards_.front()->call([this, contexts, which] {
        rehearsed_ = contexts->rehearse(which);
        tell();
    });
    return true;
}

void Changeover::put_in_place()
{
    in_place_ = true;
    to_tell_ = shards_.size();
    for (std::size_t i = 0; i < shards_.size(); ++i)
        shards_[i]->use_contexts(std::move(built_[i]), [this] { tell(); });
}

/// On a shard's thread.
void Changeover::tell()
{
    if (to_tell_.fetch_sub(1, std::memory_order_acq_rel) == 1) SALLYPORT_ASSERT(::eventfd_write(told_.get(), 1) == 0);
}

} // namespace sallyport::worker

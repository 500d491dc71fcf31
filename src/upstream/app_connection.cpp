#include "sallyport/upstream/app_connection.hpp"

#include <utility>

#include "pool.hpp"
#include "target.hpp"

namespace sallyport::upstream {

AppConnection::AppConnection(UniqueFd fd, Target& target, net::EventLoop& loop, net::HoldBudget& budget)
    : socket_{std::move(fd), Side::upstream, loop, budget}, target_{target}
{
    hold(target_);
}

AppConnection::~AppConnection()
{
    release(target_);
}

const SocketAddress& AppConnection::address() const
{
    return target_.address;
}

bool AppConnection::is_gone() const
{
    return target_.gone;
}

void AppConnection::became_ready()
{
    pool_->ended(*this);
}

} // namespace sallyport::upstream

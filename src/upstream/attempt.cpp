#include "sallyport/upstream/attempt.hpp"

#include "waiting_line.hpp"

namespace sallyport::upstream {

Attempt::~Attempt()
{
    if (line_ != nullptr) line_->leave(*this);
}

net::Watch::Waiters Attempt::cancel()
{
    cancelled_ = true;
    if (connecting_) return connecting_->socket().cancel();
    if (line_ != nullptr) line_->leave(*this);
    return {std::exchange(waiting_, nullptr), nullptr};
}

void Attempt::expired()
{
    timed_out_ = true;
    for (const std::coroutine_handle<> waiter : connecting_->socket().cancel())
        if (waiter) waiter.resume();
}

void Attempt::wait_in(WaitingLine& line, std::coroutine_handle<> waiting)
{
    waiting_ = waiting;
    line.join(*this);
}

void WaitingLine::join(Attempt& attempt)
{
    attempt.line_ = this;
    attempt.earlier_ = last_;
    attempt.later_ = nullptr;
    (last_ != nullptr ? last_->later_ : first_) = &attempt;
    last_ = &attempt;
    ++size_;
}

void WaitingLine::leave(Attempt& attempt)
{
    (attempt.earlier_ != nullptr ? attempt.earlier_->later_ : first_) = attempt.later_;
    (attempt.later_ != nullptr ? attempt.later_->earlier_ : last_) = attempt.earlier_;
    attempt.line_ = nullptr;
    --size_;
}

void WaitingLine::resume_all()
{
    for (std::size_t left = size_; left > 0 && first_ != nullptr; --left) {
        Attempt& attempt = *first_;
        leave(attempt);
        std::exchange(attempt.waiting_, nullptr).resume();
    }
}

} // namespace sallyport::upstream

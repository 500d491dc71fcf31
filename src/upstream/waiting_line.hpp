// The attempts that wait for a name, first come first.
#pragma once

#include <cstddef>

namespace sallyport::upstream {

class Attempt;

/// Borrows the attempts, which leave it when they are cancelled. Thread: the shard's.
class WaitingLine {
public:
    WaitingLine() = default;
    WaitingLine(const WaitingLine&) = delete;
    WaitingLine& operator=(const WaitingLine&) = delete;

    void join(Attempt& attempt);
    void leave(Attempt& attempt);
    /// As many as wait now. They look themselves whether they have what they waited for.
    void resume_all();

private:
    Attempt* first_{nullptr};
    Attempt* last_{nullptr};
    std::size_t size_{0};
};

} // namespace sallyport::upstream

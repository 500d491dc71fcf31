// Where an app is: its addresses, given or looked up, which are taken in turn.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "name.hpp"
#include "pool.hpp"
#include "sallyport/base/result.hpp"
#include "sallyport/base/socket_address.hpp"
#include "sallyport/ipc/control.hpp"
#include "sallyport/net/event_loop.hpp"
#include "sallyport/upstream/attempt.hpp"
#include "sallyport/upstream/upstream.hpp"
#include "target.hpp"
#include "waiting_line.hpp"

namespace sallyport::upstream {

/// Owns the addresses. Thread: the shard's.
class Targets {
public:
    Targets(const ipc::Upstream& settings, unsigned shard, net::EventLoop& loop, Pool& pool);
    Targets(const Targets&) = delete;
    Targets& operator=(const Targets&) = delete;
    ~Targets();

    /// Begins to look names up.
    void start(Resolver& resolver);

    [[nodiscard]] bool empty() const { return all_.empty(); }
    [[nodiscard]] std::size_t size() const { return all_.size(); }
    /// There is one to which no connection leads, and which is not passed over.
    [[nodiscard]] bool have_unused() const;

    /// There is none yet, but a name is being looked up.
    [[nodiscard]] bool are_awaited() const;
    /// Somebody needs one: names that failed are looked up again, unless that was just now.
    void hurry();

    /// `co_await`: until something was heard of a name, or the attempt is cancelled.
    class Answer {
    public:
        Answer(Targets& targets, Attempt& attempt) : targets_{targets}, attempt_{attempt} {}
        [[nodiscard]] bool await_ready() const noexcept { return false; }
        void await_suspend(std::coroutine_handle<> waiting) { attempt_.wait_in(targets_.waiting_, waiting); }
        void await_resume() const noexcept {}

    private:
        Targets& targets_;
        Attempt& attempt_;
    };

    /// One attempt's way through the addresses: each is tried once, those that are passed over after all others.
    class Turn {
    public:
        explicit Turn(Targets& targets, Among among = Among::all);
        /// None: all have been tried.
        [[nodiscard]] Target* next();

    private:
        [[nodiscard]] bool fits(const Target& target) const;

        Targets& targets_;
        Among among_;
        std::size_t first_;
        std::size_t step_{0};
        std::uint64_t number_;
        bool skips_{true};
    };

    void note_failure(Target& target, const Error& error);
    void note_success(Target& target);

    /// By the names.
    void answered(std::size_t entry, const std::vector<SocketAddress>& addresses);
    void unanswered();

private:
    /// What one line of the configuration yields.
    struct Entry {
        std::vector<Target*> targets{};
        std::unique_ptr<Name> name{};
    };

    void gather();
    [[nodiscard]] bool is_unused(const Target& target) const;

    std::string name_;
    net::EventLoop& loop_;
    Pool& pool_;
    net::Tick skip_ms_;
    std::vector<Entry> entries_;
    std::vector<Target*> all_;
    std::size_t next_;
    std::uint64_t turns_{0};
    WaitingLine waiting_;
};

} // namespace sallyport::upstream

// One client's connection: everything that it needs, in the frame of the coroutine that serves it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include <netinet/in.h>

#include "sallyport/net/socket.hpp"
#include "sallyport/net/task.hpp"
#include "sallyport/proxy/shard.hpp"
#include "sallyport/tls/tls_stream.hpp"

namespace sallyport::proxy {

/// Where a connection is in its story. One vocabulary for deadlines, log lines and src/ARCHITECTURE.md.
enum class Stage : std::uint8_t { handshake, connect, relay };
[[nodiscard]] std::string_view name(Stage stage);

/// The client's address, as accept(2) gave it, without room for what only Unix sockets need.
struct PeerAddress {
    sockaddr_in6 storage{};
    socklen_t size{0};
    [[nodiscard]] std::string text() const;
};

/// Its deadline is the one deadline of the present stage. Thread: the shard's.
class Connection final : public net::Deadline {
public:
    Connection(Shard& shard, const Listener& listener, UniqueFd accepted, const PeerAddress& peer);
    ~Connection() override;

    /// Starts a stage; its limit begins now.
    void enter(Stage stage, std::uint32_t limit_ms);
    /// Bytes have moved: the limit begins anew. One store.
    void touch() { postpone(shard.loop_.now() + limit_ms_); }

    /// Ends every wait of this connection: its coroutines unwind with Fault::aborted. May destroy it.
    void cancel();
    /// Cuts it on our own account (drain, stop).
    void cut();
    /// Remembers the first failure.
    void note(const Error& failure);
    /// Notes a step's failure, and tells whether there was none.
    [[nodiscard]] bool went_well(const Result<void>& step);
    /// A failure that ends everything, and outweighs what was noted: remembers the first such cause, and cancels.
    void end_both(const Error& cause);

    /// What ended it: success if nothing was noted.
    [[nodiscard]] Result<void> outcome() const;
    /// Both sides see an end in bad order: a reset, never FIN or close_notify.
    void reset_both();

    Shard& shard;
    const Upstream& upstream;
    std::string_view bind;
    PeerAddress peer;
    net::Tick began;
    tls::TlsStream client;
    std::optional<net::Socket> app;
    std::uint64_t from_client{0};
    std::uint64_t to_client{0};
    bool app_finished{false}; ///< the app's end has been told to the client
    Connection* older{nullptr};
    Connection** link{nullptr};

    [[nodiscard]] Stage stage() const { return stage_; }
    [[nodiscard]] bool was_cut() const { return cut_; }
    [[nodiscard]] net::EventLoop& loop() { return shard.loop_; }
    [[nodiscard]] tls::Scratch& scratch() { return shard.scratch_; }
    [[nodiscard]] net::HoldBudget& budget() { return shard.budget_; }
    [[nodiscard]] const ipc::Limits& limits() const { return shard.limits_; }

private:
    void expired() override;

    std::optional<Error> cause_;
    std::uint32_t limit_ms_{0};
    Stage stage_{Stage::handshake};
    bool ending_{false}; ///< `cause_` is the one that ended both directions
    bool cut_{false};
};

/// The story: handshake → connect to the app → relay. Runs at once; the connection is gone when it ends.
net::Detached serve_connection(Shard& shard, const Listener& listener, UniqueFd accepted, PeerAddress peer);

} // namespace sallyport::proxy

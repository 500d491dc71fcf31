// What a worker is told so that it can count, and answer who asks how it is. Part of the conversation in control.hpp.
#pragma once

#include <cstdint>
#include <string>

#include "sallyport/ipc/control.hpp"

namespace sallyport::ipc {

/// Where the worker counts (metrics/figures.hpp). With it travel the house's page, a copy of what ended workers have
/// counted, the worker's own page, and those of older workers that live.
struct Figures {
    static constexpr Control kKind = Control::figures;
    std::uint32_t generation{}; ///< this worker's number, from 1

    template <typename A>
    void fields(A& a)
    {
        a(generation);
    }
};

/// The admin endpoint; its listening socket travels with the message.
struct Admin {
    static constexpr Control kKind = Control::admin;
    std::string bind;   ///< for the log
    bool checks_peer{}; ///< Unix sockets: only root and `uid` are answered
    std::uint32_t uid{};
    std::uint32_t timeout_ms{}; ///< from accepting a client to the end of its answer
    std::uint32_t connections_max{};

    template <typename A>
    void fields(A& a)
    {
        a(bind, checks_peer, uid, timeout_ms, connections_max);
    }
};

} // namespace sallyport::ipc

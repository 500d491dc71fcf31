// Everything that the gatekeeper tells a worker before it serves.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "sallyport/base/unique_fd.hpp"
#include "sallyport/ipc/admin.hpp"
#include "sallyport/ipc/control.hpp"
#include "sallyport/sys/channel.hpp"
#include "sallyport/sys/shared_memory.hpp"
#include "sallyport/upstream/name_channel.hpp"

namespace sallyport::worker {

/// A listener with its sockets: one per shard, or a single shared one.
struct ReceivedListener {
    ipc::Listener settings;
    std::vector<UniqueFd> sockets;
    std::vector<ipc::Route> routes{};
};

/// The ends towards one keyholder.
struct KeyEnds {
    sys::Channel supply;
    std::vector<sys::Channel> sign; ///< one per shard
};

/// Where this worker counts, and what others have counted.
struct Pages {
    std::uint32_t generation{};
    sys::SharedMemory house;
    sys::SharedMemory past;
    sys::SharedMemory own;
    std::vector<sys::SharedMemory> older;
};

/// The admin endpoint.
struct ReceivedAdmin {
    ipc::Admin settings;
    UniqueFd socket;
};

struct Settings {
    ipc::Hello hello;
    Pages pages;
    std::optional<ReceivedAdmin> admin;
    std::optional<ipc::NameService> names; ///< only if an upstream has one
    std::vector<ipc::Upstream> upstreams;
    std::vector<ReceivedListener> listeners;
    KeyEnds keys;
    std::vector<upstream::NameChannel> name_channels{}; ///< one per shard if there are names; opened here
};

struct Greeting {
    ipc::Hello hello;
    UniqueFd audit; ///< of the audit stream; none: standard output
};

/// Reads the first message. Throws StartError when it is not Hello of this very build, or comes without its descriptor.
[[nodiscard]] Greeting receive_hello(sys::Channel& control);

/// Reads the rest, up to Serve. Throws StartError (software) when a message is malformed, out of place, names what is
/// not there, or comes with another number of descriptors than it should: the two are then not of one build.
[[nodiscard]] Settings receive_settings(sys::Channel& control, ipc::Hello hello);

/// The channels that came with KeyChannels. Throws StartError unless there is one per shard and one more.
[[nodiscard]] KeyEnds take_key_ends(std::vector<UniqueFd> descriptors, std::size_t shards);

} // namespace sallyport::worker

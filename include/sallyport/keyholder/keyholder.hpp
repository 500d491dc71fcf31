// The process that holds the private keys: how it begins, and its loop.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "sallyport/base/unique_fd.hpp"
#include "sallyport/ipc/control.hpp"
#include "sallyport/sys/channel.hpp"

namespace sallyport::keyholder {

/// From now on memory that OpenSSL frees is zero before anybody gets it again; so is, in this executable, all that C++
/// code frees. And OpenSSL reads no configuration file: this process opens nothing but its key files.
/// Throws StartError if OpenSSL was in use before. Thread: the first act of `main`.
void wipe_freed_memory();

struct Greeting {
    ipc::Hello hello;
    UniqueFd audit; ///< of the audit stream; none: standard output
};

/// The gatekeeper's first message; nothing if it has closed the channel. Throws StartError if there is no channel, the
/// message is no Hello, comes without its descriptor, or the gatekeeper is of another build.
[[nodiscard]] std::optional<Greeting> take_hello(sys::Channel& control);

/// Seconds since the epoch, by the system's clock.
[[nodiscard]] std::int64_t now();

/// Called once, when everything that is to be loaded is known and nothing of it has been read: the moment to confine
/// the process to these directories, and then to start what has threads.
using BeforeKeys = std::function<void(const std::vector<std::string>& directories)>;

/// Loads when told to, answers workers, keeps the time of ticket keys and self-signed certificates; returns when the
/// gatekeeper closes its end. A worker's sign channels have a thread each; all else happens on the caller's.
/// Throws StartError if the gatekeeper breaks the protocol, or if there is no memory that keys may live in; and what
/// `before_keys` throws, once the gatekeeper has been told.
void serve(sys::Channel control, const ipc::Hello& hello, BeforeKeys before_keys = {},
           std::function<std::int64_t()> clock = now);

} // namespace sallyport::keyholder

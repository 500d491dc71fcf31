// A handle of c-ares, which looks names up: one per shard.
#pragma once

#include <memory>
#include <vector>

#include "sallyport/ipc/control.hpp"

struct ares_channeldata;

namespace sallyport::upstream {

struct CloseNameChannel {
    void operator()(ares_channeldata* channel) const;
};
using NameChannel = std::unique_ptr<ares_channeldata, CloseNameChannel>;

/// To be made before the process is confined: c-ares reads what its random numbers begin with from /dev/urandom, and
/// newer ones look for /etc/resolv.conf, whatever they are told. Afterwards they open no file.
/// Throws StartError (os_error).
[[nodiscard]] std::vector<NameChannel> open_name_channels(const ipc::NameService& names, std::size_t count);

} // namespace sallyport::upstream

// The prologue of every connection: admission, accept, backoff.
#pragma once

#include "sallyport/net/task.hpp"
#include "sallyport/proxy/shard.hpp"

namespace sallyport::proxy {

/// Accepts as long as the shard has a free slot, and begins each connection's story. While there is none, clients wait
/// in the kernel's queue, and those of a shared one are others' to take. Ends, and closes the listener, when the shard
/// drains and the queue is empty; a shared one of a replaced generation also when there is no free slot.
net::Detached accept_loop(Shard& shard, Listener& listener);

} // namespace sallyport::proxy

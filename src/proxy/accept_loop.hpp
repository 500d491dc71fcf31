// The prologue of every connection: admission, accept, backoff.
#pragma once

#include "sallyport/net/task.hpp"
#include "sallyport/proxy/shard.hpp"

namespace sallyport::proxy {

/// Accepts as long as the shard has a free slot, and begins each connection's story. While there is none, clients wait
/// in the kernel's queue. Ends, and closes the listener, when the shard drains and the queue is empty.
net::Detached accept_loop(Shard& shard, Listener& listener);

} // namespace sallyport::proxy

// Options that every TCP socket of ours has. On sockets of another kind they have no effect, and are no error.
#pragma once

namespace sallyport {

/// Keep-alive, 30 s idle, 10 s apart, 3 probes: a peer that is gone without a word is noticed after a minute.
void set_keep_alive(int fd);

/// For a listening socket, what all that it accepts inherits, so that no connection pays for it: TCP_NODELAY,
/// keep-alive, and no linger. Before listen(2), or the first clients, who wait for a worker to accept them, go without.
void set_accepted_options(int fd);

} // namespace sallyport

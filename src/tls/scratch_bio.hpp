// The BIO through which OpenSSL reads and writes a shard's scratch buffers instead of a socket.
#pragma once

#include "sallyport/tls/scratch.hpp"

struct ssl_st;

namespace sallyport::tls {

/// Gives the connection a BIO over the scratch, for both directions. Borrows: the scratch.
/// An empty input reads as "retry"; a full output is an error (it never fills: Scratch::kCipherOut).
void attach_scratch(ssl_st* ssl, Scratch& scratch);

} // namespace sallyport::tls

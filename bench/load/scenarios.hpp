// The scenarios of the load generator. Each opens and warms, says "ready", then runs and reports as often as it is
// told to.
#pragma once

#include "arguments.hpp"
#include "load/link.hpp"

namespace bench {

/// --operations, --parallel, --warm, --resume: connect, handshake, one small exchange, close, again.
void churn(Target& target, Arguments& arguments);

/// --connections, --idle, --milliseconds: every connection sends its next request when it has its answer. The idle
/// ones are held beside them and never used.
void saturate(Target& target, Arguments& arguments);

/// --connections, --rate, --milliseconds: requests at fixed moments, whatever the answers do. Latency counts from the
/// moment at which a request should have been sent (no coordinated omission).
void pace(Target& target, Arguments& arguments);

/// --connections, --megabytes: each connection takes or gives its share once.
void download(Target& target, Arguments& arguments);
void upload(Target& target, Arguments& arguments);

/// --connections: opened, warmed by one exchange each, and held from "ready" to "end".
void hold(Target& target, Arguments& arguments);

/// --patience: from "go" on tries until one exchange succeeds, and gives up each try after so many seconds; the
/// report's "finished" is that moment on CLOCK_MONOTONIC.
void first(Target& target, Arguments& arguments);

} // namespace bench

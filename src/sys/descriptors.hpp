// Closing descriptors between fork and exec and elsewhere: async-signal-safe, allocates nothing.
#pragma once

namespace sallyport::sys {

/// Closes `first` to `last`, both included. Where close_range(2) is missing or filtered, one by one up to the limit.
void close_from_to(unsigned first, unsigned last);

} // namespace sallyport::sys

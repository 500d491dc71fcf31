// Where OpenSSL keeps private keys. (wipe_freed_memory is in keyholder.hpp: `main` calls it.)
#pragma once

#include <cstddef>

namespace sallyport::keyholder {

/// What the secure heap must hold for so many certificates, while their keys are being replaced, and for the random
/// generators and signatures of so many threads. A power of two: 32 KiB for one certificate and four threads.
/// Too little would make a reload fail; too much for RLIMIT_MEMLOCK leaves it unlocked, which is reported.
[[nodiscard]] std::size_t secure_heap_size(std::size_t certificates, std::size_t threads);

/// Makes OpenSSL's secure heap: between guard pages, locked, left out of core dumps. Once per process, before the
/// first key; true if the kernel locked it (RLIMIT_MEMLOCK), also when it exists already.
/// Throws StartError if there is no memory for it.
[[nodiscard]] bool open_secure_heap(std::size_t size);

} // namespace sallyport::keyholder

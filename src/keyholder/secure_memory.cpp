#include "secure_memory.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

#include <malloc.h>
#include <string.h>

#include <openssl/crypto.h>

#include "sallyport/base/start_error.hpp"
#include "sallyport/keyholder/keyholder.hpp"

#include "key_ring.hpp"

namespace {

void wipe_and_free(void* memory) noexcept
{
    if (memory == nullptr) return;
    explicit_bzero(memory, malloc_usable_size(memory));
    std::free(memory);
}

void* allocate(std::size_t size, const char* /*file*/, int /*line*/)
{
    return std::malloc(size);
}

void release(void* memory, const char* /*file*/, int /*line*/)
{
    wipe_and_free(memory);
}

// realloc(3) may move the content and leave the old copy behind.
void* reallocate(void* memory, std::size_t size, const char* /*file*/, int /*line*/)
{
    if (size == 0) {
        wipe_and_free(memory);
        return nullptr;
    }
    void* larger = std::malloc(size);
    if (larger == nullptr || memory == nullptr) return larger;
    std::memcpy(larger, memory, std::min(size, malloc_usable_size(memory)));
    wipe_and_free(memory);
    return larger;
}

} // namespace

// The sanitizers want both halves to be of one kind, so `new` is here too. The array forms come here by way of the
// library's own (under a sanitizer by way of none: its own forms are a pair).
void* operator new(std::size_t size)
{
    if (void* memory = std::malloc(std::max<std::size_t>(size, 1))) return memory;
    throw std::bad_alloc{};
}

void* operator new(std::size_t size, const std::nothrow_t& /*nothrow*/) noexcept
{
    return std::malloc(std::max<std::size_t>(size, 1));
}

void operator delete(void* memory) noexcept
{
    wipe_and_free(memory);
}

void operator delete(void* memory, std::size_t /*size*/) noexcept
{
    wipe_and_free(memory);
}

void operator delete(void* memory, const std::nothrow_t& /*nothrow*/) noexcept
{
    wipe_and_free(memory);
}

namespace sallyport::keyholder {

namespace {

// Measured on OpenSSL 3.0 and rounded up: a key of 8192 bits takes 3.5 KiB, one of 4096 bits 1.8, all others less; a
// thread 0.3 KiB; decoding one of 8192 bits 12 KiB.
constexpr std::size_t kBytesPerKey = 4 * 1024;
constexpr std::size_t kBytesPerThread = 1024;
constexpr std::size_t kBytesForLoading = 16 * 1024;
// The current one, the replaced one, and the one that is being loaded.
constexpr std::size_t kSets = 3;
// So many certificates may each have all the replaced keys that they may have.
constexpr std::size_t kOftenReplaced = 8;
constexpr std::size_t kSmallestBlock = 16;

} // namespace

void wipe_freed_memory()
{
    if (CRYPTO_set_mem_functions(allocate, reallocate, release) != 1)
        throw StartError{ExitCode::software, "OpenSSL was used before its memory functions were set"};
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr);
}

std::size_t secure_heap_size(std::size_t certificates, std::size_t threads)
{
    const std::size_t more = (kReplacedKeysMax - 1) * std::min(certificates, kOftenReplaced);
    const std::size_t keys = kSets * certificates + more;
    return std::bit_ceil(kBytesForLoading + keys * kBytesPerKey + threads * kBytesPerThread);
}

bool open_secure_heap(std::size_t size)
{
    static const int state = CRYPTO_secure_malloc_init(size, kSmallestBlock);
    if (CRYPTO_secure_malloc_initialized() != 1)
        throw StartError{ExitCode::os_error, "there is no memory for the secure heap that private keys live in"};
    return state == 1;
}

} // namespace sallyport::keyholder

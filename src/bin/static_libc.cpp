// For static executables alone: calls that libcrypto and Asio contain and that we never make. The C library's own would
// load shared libraries at run time, of the very release that built us. These refuse (src/cmake/compiler.cmake).
#include <netdb.h>

extern "C" {

void* __wrap_dlopen(const char*, int)
{
    return nullptr;
}

int __wrap_getaddrinfo(const char*, const char*, const addrinfo*, addrinfo**)
{
    return EAI_FAIL;
}

hostent* __wrap_gethostbyname(const char*)
{
    h_errno = NO_RECOVERY;
    return nullptr;
}
}

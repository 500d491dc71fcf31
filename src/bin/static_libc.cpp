// For static executables alone: calls that libcrypto, Asio and c-ares contain and that we never make. The C library's
// own would load shared libraries at run time, of the very release that built us. These refuse
// (src/cmake/compiler.cmake).
#include <cerrno>
#include <cstddef>

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

int __wrap_getservbyname_r(const char*, const char*, servent*, char*, std::size_t, servent** found)
{
    *found = nullptr;
    return ENOENT;
}

int __wrap_getservbyport_r(int, const char*, servent*, char*, std::size_t, servent** found)
{
    *found = nullptr;
    return ENOENT;
}
}

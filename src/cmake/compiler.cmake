# How every target is compiled: language level, warnings, hardening, sanitizers.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")   # -O3 buys larger code: the time goes into OpenSSL and the kernel
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O1 -g1") # sanitizers: readable stacks, and half the time to compile
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

find_program(SALLYPORT_CCACHE ccache)
if(SALLYPORT_CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${SALLYPORT_CCACHE})
endif()

add_compile_options(
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wold-style-cast -Wnon-virtual-dtor
    -Woverloaded-virtual -Wimplicit-fallthrough -Werror)

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    # GCC 12 sees overlaps and overflows in its own std::string and std::vector that are not there (GCC bugs 105329,
    # 105651, 105762); clang-tidy, the sanitizers and GCC 14 look instead.
    add_compile_options(-Wno-restrict -Wno-stringop-overflow -Wno-stringop-overread -Wno-array-bounds)
endif()

if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    add_compile_options(-Wno-deprecated-declarations) # libstdc++ 12's std::stable_sort uses one of its own
endif()

if(SALLYPORT_FUZZ)
    # Every module tells the fuzzer which way it took; only the targets in tests/fuzz bring the fuzzer's main.
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()

if(SALLYPORT_SANITIZE)
    # vptr asks pipe(2) whether memory can be read, and finds a fault where there is none when descriptors have run out.
    add_compile_options(-fsanitize=${SALLYPORT_SANITIZE} -fno-sanitize=vptr -fno-sanitize-recover=all
        -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${SALLYPORT_SANITIZE})
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
        add_compile_options(-Wno-maybe-uninitialized) # seen in std::regex, under sanitizers only (GCC bug 105562)
    endif()
    # Sanitizers read /proc/self and write reports: what they cannot live with is relaxed at compile time only.
    add_compile_definitions(SALLYPORT_SANITIZED)
else()
    add_compile_options(-fstack-protector-strong -fstack-clash-protection -fcf-protection)
    add_compile_definitions(_GLIBCXX_ASSERTIONS)
    if(CMAKE_BUILD_TYPE STREQUAL "Release")
        add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
    endif()
    add_link_options(-Wl,-z,relro -Wl,-z,noexecstack)
endif()
# With sanitizers too: resolving a function at its first call saves every vector register on the stack, and with them
# what memcpy has just moved, which may be a key.
add_link_options(-Wl,-z,now)
if(SALLYPORT_STATIC)
    # CMake's own -pie would come after it, and undo it.
    add_link_options(-static-pie)
    # The linker warns of calls that load shared libraries: src/bin/static_libc.cpp has those that are known.
    add_link_options(-Wl,--fatal-warnings,--wrap=dlopen,--wrap=getaddrinfo,--wrap=gethostbyname
                     LINKER:--wrap=getservbyname_r,--wrap=getservbyport_r)
    # An image is to be small: no section that nobody refers to, and relative relocations in a few bytes each.
    add_link_options(-Wl,--gc-sections -Wl,-z,pack-relative-relocs)
    set(CMAKE_FIND_LIBRARY_SUFFIXES .a)
    set(OPENSSL_USE_STATIC_LIBS ON)
    find_package(ZLIB REQUIRED) # of libcrypto.a
else()
    include(CheckPIESupported)
    check_pie_supported()
endif()

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(Boost 1.81 REQUIRED CONFIG)
find_package(spdlog REQUIRED)
find_package(fmt REQUIRED)
# Debian's asks for fmt's shared library.
set_property(TARGET spdlog::spdlog_header_only PROPERTY INTERFACE_LINK_LIBRARIES fmt::fmt-header-only Threads::Threads)
find_package(CLI11 REQUIRED)
# Shared are the C library and OpenSSL, which a system mends by updates. All else is linked in: the dynamic linker's work on
# libstdc++ and the small ones was a sixth of the CPU time until the first exchange.
set(CMAKE_FIND_LIBRARY_SUFFIXES .a)
pkg_check_modules(libcares REQUIRED IMPORTED_TARGET libcares>=1.18)
pkg_check_modules(libcap REQUIRED IMPORTED_TARGET libcap)
pkg_check_modules(libmd REQUIRED IMPORTED_TARGET libmd)
pkg_check_modules(libnghttp2 REQUIRED IMPORTED_TARGET libnghttp2>=1.52)
pkg_check_modules(libseccomp REQUIRED IMPORTED_TARGET libseccomp>=2.5)
pkg_check_modules(yaml-cpp REQUIRED IMPORTED_TARGET yaml-cpp) # its CMake package knows the shared library alone

# One id for the three executables of a build: they refuse to talk to another's.
set(SALLYPORT_REVISION "" CACHE STRING "What is built, where no repository says it")
if(NOT SALLYPORT_REVISION)
    execute_process(COMMAND git -C ${PROJECT_SOURCE_DIR} rev-parse --short=12 HEAD
                    OUTPUT_VARIABLE SALLYPORT_REVISION OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
if(NOT SALLYPORT_REVISION)
    set(SALLYPORT_REVISION unversioned)
endif()

"""What the three executables are: hardened, and linked to nothing that they must not have."""

import re
import subprocess

import pytest

from support.scale import PRESET, SANITIZED

NAMES = ["sallyport", "sallyport-keyholder", "sallyport-worker"]

C_LIBRARY = {"libc.so", "libm.so", "ld-linux"}
SANITIZERS = {"libasan.so", "libubsan.so", "libtsan.so", "libstdc++.so", "libm.so", "libgcc_s.so"} if SANITIZED else set()
# The program's whole argument in one table: what an executable cannot call, it does not link. All but the C library and
# OpenSSL is linked in.
ALLOWED = {
    "sallyport": set(),
    "sallyport-keyholder": {"libcrypto.so.3"},
    "sallyport-worker": {"libcrypto.so.3", "libssl.so.3"},
}


@pytest.fixture(scope="session")
def readelf(built):
    def run(name, *options):
        return subprocess.run(["readelf", "--wide", *options, built / name], check=True, text=True, capture_output=True,
                              timeout=30).stdout

    return run


@pytest.mark.parametrize("name", NAMES)
def test_it_links_only_what_it_may(readelf, name):
    # Goal: the gatekeeper has no TLS, the keyholder no libssl. Method: every NEEDED against its allow-list.
    needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", readelf(name, "--dynamic")))
    allowed = tuple(C_LIBRARY | SANITIZERS | ALLOWED[name])
    strangers = {library for library in needed if not library.startswith(allowed)}
    assert needed and not strangers


@pytest.mark.parametrize("name", NAMES)
def test_it_is_position_independent_and_bound_at_start(readelf, name):
    # Goal: PIE, full RELRO in what ships. Method: type, program headers and dynamic flags.
    assert "DYN (Position-Independent Executable file)" in readelf(name, "--file-header")
    assert "GNU_RELRO" in readelf(name, "--program-headers")
    dynamic = readelf(name, "--dynamic")
    assert SANITIZED or "BIND_NOW" in dynamic or re.search(r"FLAGS_1.*NOW", dynamic)


@pytest.mark.parametrize("name", NAMES)
def test_its_stack_is_not_executable(readelf, name):
    # Goal: NX. Method: the flags of PT_GNU_STACK.
    line = next(row for row in readelf(name, "--program-headers").splitlines() if "GNU_STACK" in row)
    assert " RW " in line and "E" not in line.split()[-2]


ENDBR64 = b"\xf3\x0f\x1e\xfa"
# What each preset leaves behind in a file: canaries and fortified calls in what ships, the runtime of a sanitizer.
TRACES = {
    "release": [r"\b__stack_chk_fail\b", r"\b__\w+_chk\b"],
    "dev": [r"\b__stack_chk_fail\b"],
    "asan": [r"\b__asan_init\b", r"\b__ubsan_\w+"],
    "tsan": [r"\b__tsan_init\b"],
}


@pytest.mark.parametrize("name", NAMES)
def test_it_carries_the_protection_of_its_preset(built, readelf, name):
    # Goal: -fstack-protector, _FORTIFY_SOURCE and -fcf-protection had an effect; the sanitizers too. Method: the
    # symbols that they need, and the landing pads in the code (x86-64 only). The property note is not to be had: the
    # start-up objects of Debian's C library lack it.
    symbols = readelf(name, "--dyn-syms")
    for trace in TRACES[PRESET]:
        assert re.search(trace, symbols), trace
    if not SANITIZED and "X86-64" in readelf(name, "--file-header"):
        assert (built / name).read_bytes().count(ENDBR64) > 100

"""Stops one thread of another process, which signals cannot do: ptrace(2) can."""

import ctypes
import os
from contextlib import contextmanager

import pytest

PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH = 0x4206, 0x4207, 17
WALL = 0x40000000  # __WALL: threads too

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
_libc.ptrace.restype = ctypes.c_long


def _ptrace(request, thread):
    if _libc.ptrace(request, thread, None, None) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"ptrace({request:#x}, {thread}): {os.strerror(error)}")


@contextmanager
def frozen(thread):
    """`thread` (a thread id) does nothing within. Enter and leave on the same thread of ours. Skips the test under
    ./run test --traced."""
    if os.environ.get("SALLYPORT_TRACE"):
        pytest.skip("a thread has one tracer, and strace is it")
    _ptrace(PTRACE_SEIZE, thread)
    try:
        _ptrace(PTRACE_INTERRUPT, thread)
        os.waitpid(thread, WALL)
        yield
    finally:
        _ptrace(PTRACE_DETACH, thread)

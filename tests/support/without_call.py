"""Runs a program under a kernel that lacks a system call: a seccomp filter answers ENOSYS.

    python3 without_call.py NUMBER PROGRAM ARGUMENT…
"""

import ctypes
import os
import struct
import sys

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, MODE_FILTER = 38, 22, 2
LOAD_NUMBER, JUMP_UNLESS_EQUAL, RETURN = 0x20, 0x15, 0x06
ERRNO_ENOSYS, ALLOW = 0x00050000 | 38, 0x7FFF0000


def instruction(code, value, if_true=0, if_false=0):
    return struct.pack("HBBI", code, if_true, if_false, value)


def main(number, *command):
    program = (instruction(LOAD_NUMBER, 0) + instruction(JUMP_UNLESS_EQUAL, int(number), 0, 1)
               + instruction(RETURN, ERRNO_ENOSYS) + instruction(RETURN, ALLOW))
    text = ctypes.create_string_buffer(program, len(program))
    # struct sock_fprog: a count and a pointer.
    filters = ctypes.create_string_buffer(struct.pack("H6xQ", len(program) // 8, ctypes.addressof(text)), 16)
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
    assert libc.prctl(PR_SET_SECCOMP, MODE_FILTER, filters, 0, 0) == 0, os.strerror(ctypes.get_errno())
    os.execv(command[0], command)


main(*sys.argv[1:])

"""What the running kernel has."""

import ctypes

CREATE_RULESET, VERSION_REQUEST = 444, 1


def landlock_abi():
    """0 or less: none."""
    return ctypes.CDLL(None).syscall(CREATE_RULESET, None, 0, VERSION_REQUEST)

"""How much to ask of a build: sanitizers cost time and memory, and what they measure of either means nothing."""

import os

PRESET = os.environ.get("SALLYPORT_PRESET", "release")
SANITIZED = PRESET in ("asan", "tsan")


def scaled(full, sanitized):
    """`full` for what ships, `sanitized` under asan and tsan."""
    return sanitized if SANITIZED else full

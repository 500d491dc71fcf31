"""Bytes that cannot be mistaken: reproducible, never the same at two near places, cut at random."""

import hashlib
import random

BLOCK = random.Random(7766).randbytes((1 << 20) + 7)


def chunks(total, seed=1, largest=100_000):
    """`total` bytes in pieces of random size."""
    dice, sent = random.Random(seed), 0
    while sent < total:
        size = min(dice.choice((1, 7, 1500, 16_384, 16_385, largest)), total - sent)
        start = sent % len(BLOCK)
        piece = BLOCK[start : start + size]
        sent += len(piece)
        yield piece


def content(total):
    """The same bytes as one."""
    return (BLOCK * (total // len(BLOCK) + 1))[:total]


def digest_of(pieces):
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()

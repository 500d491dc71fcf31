"""Waiting for an event: the only place of the tests that sleeps, and always with a limit."""

import time


def until(claim, seconds=10, what="", every=0.01):
    """Returns the first true value of `claim()`; fails after `seconds`."""
    limit = time.monotonic() + seconds
    while True:
        value = claim()
        if value:
            return value
        if time.monotonic() > limit:
            raise AssertionError(f"not within {seconds} s: {what or claim.__doc__ or claim}")
        time.sleep(every)


def settles(read, seconds, limit=30):
    """Waits until what `read()` tells has not changed for so long."""
    last, since, end = read(), time.monotonic(), time.monotonic() + limit
    while time.monotonic() - since < seconds:
        assert time.monotonic() < end, f"not quiet for {seconds} s within {limit} s"
        time.sleep(0.02)
        if (now := read()) != last:
            last, since = now, time.monotonic()


def stays(claim, seconds, what="", every=0.02):
    """Fails as soon as `claim()` is false within `seconds`."""
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        assert claim(), what or claim
        time.sleep(every)

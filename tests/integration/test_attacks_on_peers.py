"""What a captured worker says to the gatekeeper and to the keyholder: refused, named in the audit log, survived.

tests/support/captured.cpp is the real worker that obeys orders once it is confined; the messages are those of
include/sallyport/ipc/control.hpp and keys.hpp.
"""

import os
import signal
import struct
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.captured import captured as captured_sallyport
from support.memory_group import MemoryGroup
from support.scale import PRESET, SANITIZED
from support.waiting import until

pytestmark = pytest.mark.skipif(PRESET == "tsan", reason="the thread that obeys outlives the worker's main")

NOSIGNAL = 0x4000
READY, DRAINED, LOAD, KEYS_LOST, TRAPPED = 7, 8, 11, 15, 16
DESCRIBE_CERTIFICATE, DESCRIBE_TICKETS, SIGN = 1, 3, 6
RSA_PKCS1_SHA256, ECDSA_SHA256, ED25519 = 1, 7, 10
REFUSAL_BYTES = 1 + 4 + 4  # kind, number, an empty signature
MEMORY_GROWTH_MAX = 4 << 20


def saying(channel, message, times=1):
    """The order to send these bytes, or so many zeros."""
    data, size = (f"z:{message}", message) if isinstance(message, int) else (f"x:{message.hex()}", len(message))
    return f"repeat {times} sendto {{{channel}}} {data} {size} {NOSIGNAL} 0 0"


def sign_request(text, scheme=ECDSA_SHA256):
    return struct.pack("<BIIBI", SIGN, 1, 0, scheme, len(text)) + text


def tls13(context=b"TLS 1.3, server CertificateVerify\0", digest=32, padding=64):
    return b" " * padding + context + b"\x5a" * digest


def tls12(curve_type=3, group=23, point=b"\x04" + b"\x5a" * 64, said=None):
    size = len(point) if said is None else said
    return b"\x5a" * 64 + struct.pack(">BHB", curve_type, group, size) + point


@pytest.fixture
def captured(built, pki):
    """With several shards: what one thread of a worker does is nothing to the others."""
    with captured_sallyport(built, pki, shards=4) as subject:
        yield subject


@pytest.fixture
def peers(captured):
    """Gatekeeper and keyholder, which must be the same at the end, and no larger."""
    before = {name: process for name, process in captured.sallyport.family().items() if name != "worker"}
    sizes = {name: process.resident_bytes() for name, process in before.items()}
    yield before
    for name, process in before.items():
        assert captured.sallyport.family()[name].pid == process.pid, name
        if not SANITIZED:
            assert process.resident_bytes() - sizes[name] < MEMORY_GROWTH_MAX, name


UNLAWFUL_FOR_THE_GATEKEEPER = {
    "garbage": b"\xff\x00\xff",
    "what the gatekeeper says": bytes([LOAD]),
    "half a message": bytes([KEYS_LOST, 1]),
    "a message and more": bytes([READY, 0]),
    "Ready once more": bytes([READY]),
    "the end of a drain that nobody asked for": struct.pack("<BQQ", DRAINED, 1, 0),
    "the loss of channels that it never had": struct.pack("<BI", KEYS_LOST, 99),
    "more than a message may have": 150_000,
}


@pytest.mark.parametrize("words", UNLAWFUL_FOR_THE_GATEKEEPER)
def test_who_says_to_the_gatekeeper_what_is_not_lawful_is_killed(captured, peers, words):
    # Goal: the first unlawful message is the last. Method: one of each kind; the audit line, a death, and another
    # worker that serves.
    worker = captured.sallyport.worker().pid
    captured.order(saying("control", UNLAWFUL_FOR_THE_GATEKEEPER[words]))
    killed = captured.sallyport.log.wait_for(event="child killed", stream="audit")
    assert (killed["pid"], killed["reason"]) == (worker, "it said what no child says")
    captured.sallyport.log.wait_for(event="child died")
    until(captured.serves, 10, "the next worker serves")


@pytest.mark.parametrize("message", [b"\xff", struct.pack("<BI", KEYS_LOST, 1), struct.pack("<BI", TRAPPED, 59)],
                         ids=["garbage", "losses", "last words"])
def test_a_flood_of_messages_ends_with_its_author(captured, peers, message):
    # Goal: no flood reaches the gatekeeper's time, memory or log. Method: a million messages as fast as a process can;
    # few lines, and another worker serves.
    captured.order(saying("control", message, times=1_000_000))
    captured.sallyport.log.wait_for(event="child died", seconds=20)  # last words have five seconds to be followed
    until(captured.serves, 10, "the next worker serves")
    assert len(captured.sallyport.log.matching(event="system call refused")) <= 1
    assert len(captured.sallyport.log.lines) < 60


def test_a_worker_that_takes_no_messages_keeps_the_gatekeeper_from_nothing(captured, peers):
    # Goal: an empty message, which looks like the end of the channel, is one. Method: send it; the worker is sent away.
    captured.order("sendto {control} 0 0 0x4000 0 0")
    captured.sallyport.log.wait_for(event="child died")
    until(captured.serves, 10, "the next worker serves")


UNLAWFUL_FOR_THE_KEYHOLDER = {
    "a request that does not exist": ("sign", b"\xff\x00"),
    "half a request": ("sign", sign_request(tls13())[:-1]),
    "a request and more": ("sign", sign_request(tls13()) + b"\0"),
    "a longer text than TLS has": ("sign", sign_request(tls13(digest=300))),
    "more than any request has": ("sign", 100_000),
    "an answer": ("sign", struct.pack("<BII", 7, 1, 0)),
    "a certificate, where signatures are asked for": ("sign", struct.pack("<BI", DESCRIBE_CERTIFICATE, 0)),
    "a signature, where certificates are asked for": ("supply", sign_request(tls13())),
    "a certificate that there is not": ("supply", struct.pack("<BI", DESCRIBE_CERTIFICATE, 7)),
    "the tickets and more": ("supply", bytes([DESCRIBE_TICKETS, 0])),
}


@pytest.mark.parametrize("words", UNLAWFUL_FOR_THE_KEYHOLDER)
def test_who_asks_the_keyholder_what_is_not_lawful_loses_its_keys(captured, peers, words):
    # Goal: as above, from the keyholder, which lives on for the next worker. Method: one of each; a second request is
    # not answered.
    channel, message = UNLAWFUL_FOR_THE_KEYHOLDER[words]
    captured.order(saying(channel, message))
    refused = captured.sallyport.log.wait_for(event="unlawful request, the worker loses its channels")
    assert (refused["stream"], refused["process"]) == ("audit", "keyholder")
    killed = captured.sallyport.log.wait_for(event="child killed", stream="audit")
    assert killed["reason"] == "the keyholder wants no more of it"
    until(captured.serves, 10, "the next worker serves")


# What is asked, and why it is refused; None: it is not.
TEXTS = {
    "a TLS 1.3 text": (sign_request(tls13()), None),
    "a TLS 1.2 text": (sign_request(tls12()), None),
    "any text": (sign_request(b"I owe you a million"), "shorter than any TLS text"),
    "a certificate's first bytes": (sign_request(b"\x30\x82\x03\x02" * 40), "not ECDHE parameters of a named curve"),
    "a client's text": (sign_request(tls13(context=b"TLS 1.3, client CertificateVerify\0")),
                        "not the context of a server's CertificateVerify"),
    "a text of TLS 1.4": (sign_request(tls13(context=b"TLS 1.4, server CertificateVerify\0")),
                          "not the context of a server's CertificateVerify"),
    "too short a hash": (sign_request(tls13(digest=20)), "the transcript hash has no size of a TLS 1.3 cipher suite"),
    "too little padding": (sign_request(tls13(padding=63)), "not ECDHE parameters of a named curve"),
    "an explicit curve": (sign_request(tls12(curve_type=1)), "not ECDHE parameters of a named curve"),
    "an unknown curve": (sign_request(tls12(group=22)), "a group that is not offered under TLS 1.2"),
    "half a point": (sign_request(tls12(point=b"\x04" + b"\x5a" * 32)), "the point has not the size of its group"),
    "a point that says another size": (sign_request(tls12(said=32)), "the point has not the size of its group"),
    "a compressed point": (sign_request(tls12(point=b"\x02" + b"\x5a" * 64)), "the point is not in uncompressed form"),
    "another key's scheme": (sign_request(tls13(), RSA_PKCS1_SHA256), "the key's type does not know this scheme"),
    "a scheme of no digest": (sign_request(tls13(), ED25519), "the key's type does not know this scheme"),
    "a scheme without a name": (sign_request(tls13(), 200), "the key's type does not know this scheme"),
}


@pytest.mark.parametrize("words", TEXTS)
def test_the_keyholder_signs_what_tls_needs_and_nothing_else(captured, peers, words):
    # Goal: the use of a key is not the key. Method: texts of right and of wrong form; the size of the answer, the
    # reason in the audit log, and a worker that goes on.
    request, reason = TEXTS[words]
    size, error = captured.ask(saying("sign", request) + " ; recvfrom {sign} z:600 600 0 0 0")
    assert error == ""
    assert (size > REFUSAL_BYTES + 60) if reason is None else (size == REFUSAL_BYTES)
    refusals = [captured.sallyport.log.wait_for(event="signature refused")] if reason else \
        captured.sallyport.log.matching(event="signature refused")
    assert [(line["stream"], line["reason"]) for line in refusals] == ([("audit", reason)] if reason else [])
    until(captured.serves, 10, "the worker serves")


@pytest.mark.parametrize("text, lines_per_window", [(tls13(), 0), (b"no", 10)], ids=["lawful", "refused"])
def test_a_flood_of_requests_takes_nothing_from_the_other_shards(captured, peers, text, lines_per_window):
    # Goal: a thread of the keyholder for each shard; refusals cannot fill the log. Method: one shard's channel is asked
    # as fast as it answers; meanwhile the others make handshakes (each is a new draw of a shard); few audit lines.
    captured.order(saying("sign", sign_request(text), times=1_000_000_000) + " ; try recvfrom {sign} z:600 600 64 0 0")
    begun = time.monotonic()
    with ThreadPoolExecutor(24) as clients:
        served = sum(clients.map(lambda _: captured.serves(), range(24)))
    assert served >= 8
    assert not captured.sallyport.log.matching(event="order"), "the flood has ended"
    windows = 2 + (time.monotonic() - begun) // 10
    assert len(captured.sallyport.log.matching(event="signature refused")) <= lines_per_window * windows
    os.kill(captured.sallyport.worker().pid, signal.SIGKILL)
    captured.sallyport.log.wait_for(event="child died")
    until(captured.serves, 10, "the next worker serves")


def test_who_does_not_read_its_answers_loses_its_keys(captured, peers):
    # Goal: nobody waits for a captured worker. Method: requests without reading; the keyholder ends its channels.
    captured.order(saying("sign", sign_request(tls13()), times=1_000_000))
    refused = captured.sallyport.log.wait_for(event="unlawful request, the worker loses its channels")
    assert refused["reason"] == "answers are not read"
    captured.sallyport.log.wait_for(event="child died")
    until(captured.serves, 10, "the next worker serves")


@pytest.mark.skipif(SANITIZED, reason="what sanitizers need of memory is no measure")
def test_a_worker_that_takes_all_memory_is_the_one_that_dies(built, pki):
    # Goal: a container's memory limit hits who exhausts it. Method: a control group of 256 MiB; the worker maps and
    # touches all that it can get; the kernel kills it and nobody else, and the next one serves.
    with MemoryGroup(256 << 20) as group, captured_sallyport(built, pki, wrapper=group.wrapper) as captured:
        family = captured.sallyport.family()
        private_populated, chunk = 0x8022, 16 << 20
        captured.order(f"repeat 1000 mmap 0 {chunk} 3 {private_populated} -1 0")
        died = captured.sallyport.log.wait_for(event="child died", seconds=20)
        assert (died["pid"], died["how"]) == (family["worker"].pid, "signal 9 (KILL)")
        until(captured.serves, 10, "the next worker serves")
        for name in ("gatekeeper", "keyholder"):
            assert captured.sallyport.family()[name].pid == family[name].pid
            assert family[name].resident_bytes() < 64 << 20

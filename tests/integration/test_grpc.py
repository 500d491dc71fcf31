"""gRPC end to end: h2 from the client, h2c to the app; all four kinds of calls, trailers, deadlines, cancellation."""

import threading

import grpc
import pytest

from support.ports import free_port
from support.real_app import RealApp
from support.scale import scaled
from support.waiting import until

SLOW_S = 30


@pytest.fixture(scope="module")
def app():
    with RealApp("grpc") as running:
        yield running


@pytest.fixture
def site(serve_http, app):
    return serve_http(f"h2c://{app.address}")


@pytest.fixture
def channel(site):
    credentials = grpc.ssl_channel_credentials(site.ca.read_bytes())
    options = [("grpc.max_receive_message_length", -1), ("grpc.enable_http_proxy", 0)]
    with grpc.secure_channel("localhost:%d" % site.address[1], credentials, options) as made:
        yield made


def test_a_unary_call_carries_metadata_both_ways(channel):
    # Goal: headers and trailers, text and binary. Method: the app sends back what the client said.
    call = channel.unary_unary("/test.Sally/Unary")
    answer, seen = call.with_call(b"hello", metadata=[("from-client", "a value")], timeout=SLOW_S)
    assert answer == b"hello"
    assert ("header-of-app", "a value") in seen.initial_metadata()
    assert {("trailer-of-app", "a value"), ("bytes-bin", b"\0\xff")} <= set(seen.trailing_metadata())
    assert seen.code() is grpc.StatusCode.OK


def test_the_status_of_a_failed_call_arrives_with_its_message_and_trailers(channel):
    # Goal: trailers-only responses. Method: the app aborts; the message is not ASCII.
    with pytest.raises(grpc.RpcError) as failed:
        channel.unary_unary("/test.Sally/Fail")(b"", timeout=SLOW_S)
    assert failed.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert failed.value.details() == "naïve: 100 % wrong"
    assert ("trailer-of-app", "failed") in failed.value.trailing_metadata()


def test_an_unknown_method_is_the_apps_to_refuse(channel):
    # Goal: nothing of ours in between. Method: a path that the app does not have.
    with pytest.raises(grpc.RpcError) as failed:
        channel.unary_unary("/test.Sally/None")(b"", timeout=SLOW_S)
    assert failed.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_streams_of_a_thousand_messages_pass_in_each_direction(channel):
    # Goal: all four kinds. Method: 1,000 messages from the app, to the app, and both at once.
    sizes = range(1000)
    answers = channel.unary_stream("/test.Sally/CountUp")(b"1000", timeout=SLOW_S)
    assert [len(answer) for answer in answers] == list(sizes)
    total = channel.stream_unary("/test.Sally/AddUp")((b"x" * size for size in sizes), timeout=SLOW_S)
    assert total == b"%d" % sum(sizes)
    echoed = channel.stream_stream("/test.Sally/Echo")((b"x" * size for size in sizes), timeout=SLOW_S)
    assert [len(answer) for answer in echoed] == list(sizes)


def test_a_conversation_is_not_held_back(channel):
    # Goal: each message passes at once. Method: the client says its next word when it has heard the answer to the last
    # one.
    heard = threading.Semaphore(1)

    def words():
        for number in range(100):
            assert heard.acquire(timeout=SLOW_S)
            yield b"%d" % number

    answers = []
    for answer in channel.stream_stream("/test.Sally/Echo")(words(), timeout=SLOW_S):
        answers.append(answer)
        heard.release()
    assert answers == [b"%d" % number for number in range(100)]


@pytest.mark.parametrize("size", [0, 1, 16_383, 65_536, 5_000_000, scaled(50_000_000, 10_000_000)])
def test_a_message_of_any_size_passes(channel, size):
    # Goal: flow control does not stall. Method: echoed, larger than every window.
    assert channel.unary_unary("/test.Sally/Unary")(b"x" * size, timeout=SLOW_S) == b"x" * size


def test_a_deadline_reaches_the_app(channel):
    # Goal: grpc-timeout is passed on, and the app is told when it has run out. Method: a call of 2 s that never ends.
    told = channel.unary_unary("/test.Sally/Cancelled")
    told(b"", timeout=SLOW_S)  # connects
    with pytest.raises(grpc.RpcError) as failed:
        channel.unary_unary("/test.Sally/Sleep")(b"", timeout=2)
    assert failed.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    until(lambda: {b"1", b"2"} & set(told(b"", timeout=SLOW_S).split()), 10)  # what was left of them


def test_a_cancelled_call_is_cancelled_in_the_app(channel):
    # Goal: RST_STREAM passes, and ends one call only. Method: a call that never ends, cancelled, while another one
    # talks.
    talk = channel.stream_stream("/test.Sally/Echo")(iter([b"a"]), timeout=SLOW_S)
    pending = channel.unary_unary("/test.Sally/Sleep").future(b"pending", timeout=SLOW_S)
    assert next(talk) == b"a"
    until(lambda: b"pending" in channel.unary_unary("/test.Sally/Begun")(b"", timeout=SLOW_S).split(), 10)
    pending.cancel()
    until(lambda: b"pending" in channel.unary_unary("/test.Sally/Cancelled")(b"", timeout=SLOW_S).split(), 10)
    assert list(talk) == []


def test_a_hundred_calls_at_once_share_one_connection(channel, site):
    # Goal: streams do not mix. Method: 100 calls, each with a word of its own.
    call = channel.unary_unary("/test.Sally/Unary")
    pending = [call.future(b"word %d" % number, timeout=SLOW_S) for number in range(100)]
    assert [each.result() for each in pending] == [b"word %d" % number for number in range(100)]
    lines = site.exchanges(100, target="/test.Sally/Unary")
    assert {line["http"] for line in lines} == {"2"} and len({line["client"] for line in lines}) == 1


def test_an_app_that_is_not_there_is_unavailable(serve_http):
    # Goal: a gRPC client understands us. Method: nobody listens: our 502 becomes its UNAVAILABLE.
    site = serve_http(f"h2c://127.0.0.1:{free_port()}")
    credentials = grpc.ssl_channel_credentials(site.ca.read_bytes())
    with grpc.secure_channel("localhost:%d" % site.address[1], credentials) as channel:
        with pytest.raises(grpc.RpcError) as failed:
            channel.unary_unary("/test.Sally/Unary")(b"", timeout=SLOW_S)
    assert failed.value.code() is grpc.StatusCode.UNAVAILABLE
    assert site.exchanges()[0]["reason"] == "app_refused"

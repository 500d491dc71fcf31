"""A gRPC server with the four kinds of calls. Messages are bytes, so that no schema has to be compiled.

    grpc_app.py PORT
"""

import sys
import time
from concurrent.futures import ThreadPoolExecutor

import grpc


def unary(request, context):
    """Sends it back, with the client's metadata as headers and trailers."""
    said = dict(context.invocation_metadata())
    context.send_initial_metadata([("header-of-app", said.get("from-client", ""))])
    context.set_trailing_metadata([("trailer-of-app", said.get("from-client", "")), ("bytes-bin", b"\0\xff")])
    return request


def fail(request, context):
    context.set_trailing_metadata([("trailer-of-app", "failed")])
    context.abort(grpc.StatusCode.FAILED_PRECONDITION, "naïve: 100 % wrong")


def sleep(request, context):
    """Longer than any client waits; notes the call by what it says, or else by the time that it leaves."""
    call = request or b"%d" % round(context.time_remaining() or -1)
    begun.append(call)
    while context.is_active():
        time.sleep(0.01)
    cancelled.append(call)
    return b""


def list_begun(request, context):
    return b" ".join(begun)


def list_cancelled(request, context):
    return b" ".join(cancelled)


def count_up(request, context):
    """As many messages as it says, of as many bytes as their number."""
    for number in range(int(request)):
        yield b"x" * number


def add_up(requests, context):
    return b"%d" % sum(map(len, requests))


def echo(requests, context):
    yield from requests


begun, cancelled = [], []
METHODS = {
    "Unary": grpc.unary_unary_rpc_method_handler(unary),
    "Fail": grpc.unary_unary_rpc_method_handler(fail),
    "Sleep": grpc.unary_unary_rpc_method_handler(sleep),
    "Begun": grpc.unary_unary_rpc_method_handler(list_begun),
    "Cancelled": grpc.unary_unary_rpc_method_handler(list_cancelled),
    "CountUp": grpc.unary_stream_rpc_method_handler(count_up),
    "AddUp": grpc.stream_unary_rpc_method_handler(add_up),
    "Echo": grpc.stream_stream_rpc_method_handler(echo),
}

server = grpc.server(ThreadPoolExecutor(32), options=[("grpc.max_receive_message_length", -1)])
server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("test.Sally", METHODS)])
assert server.add_insecure_port(f"127.0.0.1:{sys.argv[1]}")
server.start()
server.wait_for_termination()

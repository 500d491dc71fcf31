"""An app as `sallyport run -- …` starts it: a small HTTP server that tells what it sees, as JSON lines on its standard
output, and does what a path asks. It imports nothing of these tests: it runs as another user, from a copy.

    owned_app.py ADDRESS [--delay SECONDS] [--ignore-term] [--code N]

ADDRESS is a port of 127.0.0.1, HOST:PORT or the path of a Unix socket. --code: the exit code after SIGTERM.
"""

import argparse
import json
import os
import signal
import socketserver
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def tell(what, **facts):
    line = {"process": "app", "event": what, "pid": os.getpid(), "at": time.time(), **facts}
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        what, _, value = self.path.strip("/").partition("/")
        body = str(getattr(self, what or "hello")(value)).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def hello(self, _):
        return "hello"

    def slow(self, seconds):
        tell("request begun")
        time.sleep(float(seconds))
        tell("request done")
        return "finished"

    def leave(self, code):
        os._exit(int(code))

    def die(self, number):
        os.kill(os.getpid(), int(number))

    def orphan(self, seconds):
        """A grandchild whose parent has gone, and which ends after so long, or soon."""
        read, write = os.pipe()
        if (child := os.fork()) == 0:
            if os.fork() == 0:
                os.write(write, str(os.getpid()).encode())
                time.sleep(float(seconds or 0.3))
            os._exit(0)
        os.waitpid(child, 0)
        return os.read(read, 20).decode()

    def rest(self, _):
        """A child in our process group that wants to outlive us."""
        if (child := os.fork()) == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            time.sleep(1000)
        return child

    def address_string(self):
        return "-"

    def log_message(self, *_):
        pass


class UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    pass


def server(address):
    if address.startswith("/"):
        made = UnixServer(address, Answer, bind_and_activate=False)
    else:
        host, _, port = address.rpartition(":")
        made = ThreadingHTTPServer((host or "127.0.0.1", int(port)), Answer, bind_and_activate=False)
    made.server_bind()
    if address.startswith("/"):
        os.chmod(address, 0o666)
    tell("app is up")  # before anybody can see it: in the log it stands before what follows from it
    made.server_activate()
    return made


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("address")
    parser.add_argument("--delay", type=float, default=0)
    parser.add_argument("--ignore-term", action="store_true")
    parser.add_argument("--code", type=int, default=0)
    given = parser.parse_args()

    def note(number, _):
        tell("signal", number=number)
        if number in (signal.SIGTERM, signal.SIGINT) and not given.ignore_term:
            os._exit(given.code)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGWINCH):
        signal.signal(number, note)
    tell("app begins")
    time.sleep(given.delay)
    server(given.address).serve_forever()


main()

"""Apps as people run them, each a process of its own: uvicorn with FastAPI, Node, Python's http.server.

They answer the same paths, each in its framework's own words:

    GET  /seen        JSON: the scheme, the client's address and the URL as the app sees them, and the fields
    GET  /redirect    307 to the absolute URL of /seen
    GET  /bytes/N     N bytes of support/payload.py, with their length; HEAD too
    GET  /stream/N    N bytes of a length that is not told before
    POST /digest      JSON: size and SHA-256 of the body
    GET  /nothing     204          GET  /same     with an ETag; 304 to who has it
    GET  /cookies     JSON: the cookies that came; two Set-Cookie lines
    GET  /events?count=N   server-sent events: each but the first waits for a     POST /next

"echo" (Node, h1 or h2c) sends every body back instead.
"""

import os
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from support.payload import BLOCK
from support.ports import free_port
from support.waiting import until

HERE = Path(__file__).parent



def uvicorn(module, port, *options):
    return [sys.executable, "-m", "uvicorn", f"support.real_apps.{module}:app", "--port", port,
            "--log-level", "warning", *options]


COMMANDS = {
    "uvicorn": lambda port, *options: uvicorn("fastapi_app", port, *options),
    "hypercorn": lambda port, *options: [sys.executable, "-m", "hypercorn", "--bind", f"127.0.0.1:{port}",
                                         "support.real_apps.fastapi_app:app", *options],
    "node_h2c": lambda port, *options: ["node", HERE / "real_apps/node_h2c_app.js", port, *options],
    "browser": lambda port, *options: uvicorn("browser_app", port, *options),
    "node": lambda port, *options: ["node", HERE / "real_apps/node_app.js", port, *options],
    "echo": lambda port, *options: ["node", HERE / "real_apps/echo_app.js", port, *options],
    "http.server": lambda port, *options: [sys.executable, HERE / "real_apps/standard_app.py", port, *options],
    "grpc": lambda port, *options: [sys.executable, HERE / "real_apps/grpc_app.py", port, *options],
}


class RealApp:
    """One of COMMANDS, running and listening. Use as a context manager."""

    def __init__(self, kind, *options):
        self.kind, self.options = kind, options
        port = free_port()
        self.address = f"127.0.0.1:{port}"
        command = [str(word) for word in COMMANDS[kind](str(port), *options)]
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(HERE.parent), "PYTHONDONTWRITEBYTECODE": "1"}
        with tempfile.TemporaryFile() as block:  # for those that cannot import it
            block.write(BLOCK)
            block.seek(0)
            self.process = subprocess.Popen(command, env=environment, stdin=block, stdout=subprocess.PIPE,
                                            stderr=subprocess.STDOUT)
        self._said = bytearray()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            until(lambda: self._listens(port), 30, f"{kind} listens", every=0.05)
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.process.kill()
        self.process.wait(10)
        self._reader.join(10)
        print(f"--- {self.kind}\n{self.said()[-3000:]}")

    def said(self):
        """Its two outputs so far."""
        return self._said.decode(errors="replace")

    def _read(self):
        with self.process.stdout as stream:
            while part := stream.read1(65536):
                self._said += part

    def _listens(self, port):
        assert self.process.poll() is None, f"{self.kind} ended: {self.said()}"
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

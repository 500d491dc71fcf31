"""The same app on Python's http.server. What each path does: support/real_app.py.

    standard_app.py PORT [--http10]
"""

import hashlib
import http.server
import json
import queue
import sys

from support.payload import chunks

released = queue.Queue()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0" if "--http10" in sys.argv else "HTTP/1.1"

    def do_GET(self):
        path, _, self.query = self.path.partition("?")
        name, _, value = path.strip("/").partition("/")
        getattr(self, f"answer_{name}")(value)

    do_HEAD = do_POST = do_GET

    def send_head(self, status, *fields):
        self.send_response(status)
        for name, value in fields:
            self.send_header(name, value)
        self.end_headers()

    def send_json(self, value, *fields):
        body = json.dumps(value).encode()
        self.send_head(200, ("Content-Length", str(len(body))), *fields)
        self.wfile.write(body)

    def origin(self):
        return f"{self.headers['X-Forwarded-Proto']}://{self.headers['Host']}"

    def answer_seen(self, _):
        self.send_json({"scheme": self.headers["X-Forwarded-Proto"], "client": self.headers["X-Forwarded-For"],
                        "url": self.origin() + self.path, "fields": self.headers.items()})

    def answer_redirect(self, _):
        self.send_head(307, ("Location", f"{self.origin()}/seen"), ("Content-Length", "0"))

    def answer_bytes(self, count):
        self.send_head(200, ("Content-Length", count))
        if self.command != "HEAD":
            self.wfile.writelines(chunks(int(count)))

    def answer_stream(self, count):
        if self.protocol_version == "HTTP/1.0":
            self.send_head(200)
            return self.wfile.writelines(chunks(int(count)))
        self.send_head(200, ("Transfer-Encoding", "chunked"))
        self.send_chunks(chunks(int(count)))

    def send_chunks(self, pieces):
        for piece in pieces:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    def pieces_of_body(self):
        if self.headers["Transfer-Encoding"]:
            while size := int(self.rfile.readline(), 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return
        left = int(self.headers["Content-Length"] or 0)
        while left:
            piece = self.rfile.read(min(left, 65536))
            assert piece, "the body ended too early"
            left -= len(piece)
            yield piece

    def answer_digest(self, _):
        sha, size = hashlib.sha256(), 0
        for piece in self.pieces_of_body():
            sha.update(piece)
            size += len(piece)
        self.send_json({"sha256": sha.hexdigest(), "size": size})

    def answer_nothing(self, _):
        self.send_head(204)

    def answer_same(self, _):
        known = self.headers["If-None-Match"] == '"7766"'
        if known:
            return self.send_head(304, ("ETag", '"7766"'))
        self.send_head(200, ("ETag", '"7766"'), ("Content-Length", "6"))
        self.wfile.write(b"a page")

    def answer_cookies(self, _):
        pairs = [pair.split("=") for pair in (self.headers["Cookie"] or "").split("; ") if pair]
        self.send_json(dict(pairs), ("Set-Cookie", "a=1; HttpOnly"), ("Set-Cookie", "b=2; Secure"))

    def answer_events(self, _):
        def each():
            for number in range(int(self.query.partition("=")[2])):
                yield f"id: {number}\ndata: event {number}\n\n".encode()
                released.get()

        if self.protocol_version == "HTTP/1.0":
            self.send_head(200, ("Content-Type", "text/event-stream"))
            for event in each():
                self.wfile.write(event)
        else:
            self.send_head(200, ("Content-Type", "text/event-stream"), ("Transfer-Encoding", "chunked"))
            self.send_chunks(each())

    def answer_next(self, _):
        list(self.pieces_of_body())
        released.put(None)
        self.send_json({})

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128


Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()

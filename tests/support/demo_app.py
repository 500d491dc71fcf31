"""The demo's app: plain HTTP on 127.0.0.1:7766. It tells who it is, which is nobody, and who asked."""

import http.server
import os


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = f"Hello from the app: uid {os.getuid()}, no privilege, asked by {self.client_address[0]}\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", 7766), Answer).serve_forever()

"""Real TLS clients as programs: curl, openssl s_client, gnutls-cli."""

import os
import subprocess

REQUEST = b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n"


def run(*command, stdin=b"", timeout=30):
    """The finished process, with both outputs as text."""
    # None of our environment: it may name a proxy, or certificates to trust.
    environment = {"PATH": os.environ["PATH"]}
    done = subprocess.run([*map(str, command)], input=stdin, capture_output=True, timeout=timeout, env=environment)
    done.stdout, done.stderr = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    return done


def curl(address, ca, *options, name="localhost", path="/"):
    host, port = address
    return run("curl", "-sS", "--max-time", "20", "--cacert", ca, "--resolve", f"{name}:{port}:{host}", *options,
               f"https://{name}:{port}{path}")


def s_client(address, ca, *options, name="localhost", stdin=REQUEST):
    """With -ign_eof: it reads on until the server ends."""
    return run("openssl", "s_client", "-connect", "%s:%d" % address, "-servername", name, "-CAfile", ca,
               "-verify_return_error", "-ign_eof", *options, stdin=stdin)


def gnutls_cli(address, ca, *options, name="localhost", stdin=REQUEST):
    host, port = address
    return run("gnutls-cli", f"--x509cafile={ca}", f"--sni-hostname={name}", f"--verify-hostname={name}",
               f"--port={port}", *options, host, stdin=stdin)

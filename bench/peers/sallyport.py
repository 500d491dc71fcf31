"""Sallyport itself, with its defaults but for what everybody has here: one worker, no log."""

import subprocess

from peers.system import System

CONFIG = """\
listeners:
  - bind: "127.0.0.1:{port}"
    mode: {mode}
    tls:
      certificates:
        - {{ cert: {certificate}, key: {key} }}
    forward: app
upstreams:
  app: {{ address: "127.0.0.1:{app_port}" }}
# One worker thread, as everybody has here (two where scaling is measured).
shards: {shards}
keys: {keys}
{sandbox}log:
  level: none
"""


class Sallyport(System):
    kind = "ours"
    modes = ("tcp", "http", "h2", "health")

    def __init__(self, name, keys="keyholder", shards=1, sandbox=None):
        self.name = name
        self._keys, self._shards = keys, shards
        self._sandbox = f"sandbox: {{ level: {sandbox} }}\n" if sandbox else ""

    def command(self, place):
        text = CONFIG.format(
            port=place.port,
            app_port=place.app_port,
            mode="tcp" if place.mode == "tcp" else "http",
            certificate=place.certificate,
            key=place.key,
            keys=self._keys,
            shards=self._shards,
            sandbox=self._sandbox,
        )
        config = place.write("sallyport.yaml", text)
        return [str(place.programs / "sallyport"), "run", "--config", str(config)]

    def health_command(self, place):
        return [str(place.programs / "sallyport"), "health", "--config", str(place.directory / "sallyport.yaml")]

    def is_here(self, programs):
        return all((programs / f"sallyport{part}").exists() for part in ("", "-keyholder", "-worker"))

    def version(self, programs):
        said = subprocess.run([programs / "sallyport", "--version"], capture_output=True, text=True, check=False)
        return said.stdout.strip() or "unknown"

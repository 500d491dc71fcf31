"""The admin endpoint as those who ask it see it."""

import http.client
import json
import re
import socket
import subprocess
from dataclasses import dataclass


def place_of(sallyport, seconds=10):
    """Where it is: the gatekeeper's own words."""
    return sallyport.log.wait_for(seconds=seconds, event="admin endpoint bound")["bind"]


def connect(place, timeout=10):
    if place.startswith("unix:"):
        path = place.removeprefix("unix:")
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(timeout)
        client.connect("\0" + path[1:] if path.startswith("@") else path)
        return client
    host, port = place.rsplit(":", 1)
    return socket.create_connection((host.strip("[]"), int(port)), timeout)


class _Connection(http.client.HTTPConnection):
    def __init__(self, place):
        super().__init__("localhost")
        self._place = place

    def connect(self):
        self.sock = connect(self._place)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict
    body: str


def ask(place, path, method="GET"):
    connection = _Connection(place)
    connection.request(method, path)
    response = connection.getresponse()
    body = response.read().decode()
    connection.close()
    return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, body)


LINE = re.compile(r'([a-z_]+)(?:\{(.*)\})? (\S+)')
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')


class Figures(dict):
    """"name{label=\"value\"}" → number, of one scrape."""

    def has(self, name, /, **labels):
        return any(found == name and set(labels.items()) <= have for found, have in self)

    def sum(self, name, /, **labels):
        """Of all samples of that name with these labels."""
        wanted = set(labels.items())
        return sum(value for (found, have), value in self.items() if found == name and wanted <= have)


def figures(place):
    found = Figures()
    for line in ask(place, "/metrics").body.splitlines():
        if not line.startswith("#"):
            name, labels, value = LINE.fullmatch(line).groups()
            found[name, frozenset(LABEL.findall(labels or ""))] = float(value)
    return found


def status(place):
    return json.loads(ask(place, "/status").body)


def health(installation, *arguments, wrapper=(), environment=None):
    """`sallyport health` as a finished process."""
    return subprocess.run([*map(str, wrapper), str(installation.sallyport), "health", *map(str, arguments)],
                          capture_output=True, text=True, timeout=30, env=environment or {})

"""systemd's unit files, read: the settings of config/systemd in order, each as systemd adds or replaces it."""

import shlex
from pathlib import Path

UNITS = Path(__file__).resolve().parents[2] / "config" / "systemd"
PLAIN = UNITS / "sallyport.service"
BY_SOCKET = UNITS / "socket" / "sallyport.service"
SOCKET = UNITS / "socket" / "sallyport.socket"


class Unit:
    def __init__(self, path):
        self.lines = []  # ("Section.Name", value)
        section = ""
        for line in path.read_text().splitlines():
            if line.startswith("["):
                section = line.strip("[]")
            elif line and not line.startswith("#"):
                name, _, value = line.partition("=")
                self.lines.append((f"{section}.{name}", value))

    def all(self, name):
        return [value for each, value in self.lines if each == name]

    def one(self, name):
        """Its only value; None without a line."""
        values = self.all(name)
        assert len(values) < 2, (name, values)
        return values[0] if values else None

    def command(self, name="Service.ExecStart"):
        return shlex.split(self.one(name))

    def capabilities(self, name):
        return self.one(f"Service.{name}").lower().split()

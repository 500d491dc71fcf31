"""The floor, bench/floor.cpp; and the same without TLS, which is what the kernel and the copying cost alone."""

from peers.system import System


class Floor(System):
    # It passes HTTP on as it passes anything: what a proxy costs that reads nothing of it.
    modes = ("tcp", "http")

    def __init__(self, name, plain=False):
        self.name = name
        self.kind = "reference" if plain else "floor"
        self.speaks_tls = not plain

    def command(self, place):
        command = [str(place.programs / "bench-floor"), "--port", str(place.port), "--app", str(place.app_port)]
        if not self.speaks_tls:
            return [*command, "--plain"]
        return [*command, "--cert", str(place.certificate), "--key", str(place.key)]

    def is_here(self, programs):
        return (programs / "bench-floor").exists()

    def version(self, _programs):
        return "bench/floor.cpp"

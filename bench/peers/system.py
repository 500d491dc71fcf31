"""What every measured system offers the runner."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Place:
    """Where one instance runs: its own empty directory, its ports, the common certificate."""

    directory: Path
    port: int
    app_port: int
    mode: str  # "tcp", "http" or "h2"
    certificate: Path
    key: Path
    combined: Path  # certificate and key in one file
    programs: Path  # the directory of the built executables

    def write(self, name, text):
        path = self.directory / name
        path.write_text(text)
        return path


class System:
    """A proxy that the runner starts in the foreground, and stops by its pid.

    `kind`: "peer" counts for the best peer; "floor" and "reference" are what one compares with; "ours" has goals.
    """

    name: str
    kind = "peer"
    modes = ("tcp",)
    packages = ()
    program = ""
    version_flag = "-v"
    environment = {}
    speaks_tls = True

    def command(self, place):
        """Writes the configuration into the place and returns the command that starts the system."""
        raise NotImplementedError

    def is_here(self, _programs):
        return shutil.which(self.program) is not None

    def version(self, _programs):
        said = subprocess.run([self.program, self.version_flag], capture_output=True, text=True, check=False)
        lines = (said.stdout + said.stderr).splitlines()
        return next((line for line in lines if any(map(str.isdigit, line))), "unknown")

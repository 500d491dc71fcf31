"""The executables as an installation would have them."""

import shutil
import tempfile
from pathlib import Path

EXECUTABLES = ("sallyport", "sallyport-keyholder", "sallyport-worker")


class Installation:
    """The three executables where any user may run them: a checkout can lie in a home that is closed to others."""

    def __init__(self, built, is_captured=False):
        self.is_captured = is_captured  # a process of it will do what it must not
        self.root = Path(tempfile.mkdtemp(prefix="sallyport-bin-"))
        self.root.chmod(0o755)
        for name in EXECUTABLES:
            shutil.copy(Path(built) / name, self.root / name)
        self.sallyport = self.root / "sallyport"

    def close(self):
        shutil.rmtree(self.root)


def let_others_reach(directory):
    """Any user may enter this directory of pytest's."""
    for each in (directory, *directory.parents):
        if each.is_relative_to("/tmp") and str(each) != "/tmp":
            each.chmod(0o755)

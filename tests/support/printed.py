"""What stands in the READMEs' fenced blocks: commands, and files."""

import re
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
_FENCE = re.compile(r"^(?:<!-- run: ([\w ]+) -->\n)?```(\w*)\n(.*?)^```$", re.M | re.S)


def readmes():
    """Every README.md of the project but those of its tests, as paths from the top."""
    found = [path for pattern in ("README.md", "*/README.md", "*/*/README.md", "src/*.md") for path in SOURCE.glob(pattern)]
    names = sorted({str(path.relative_to(SOURCE)) for path in found})
    return [name for name in names if not name.startswith(("tests/", "build/", "."))]


def blocks(name):
    """(language, text) of each fenced block."""
    return [(language, text) for _, language, text in _FENCE.findall((SOURCE / name).read_text())]


def marks(name):
    """Of the blocks before which stands <!-- run: MARK -->: a test of tests/containers takes and runs them by that."""
    return [mark for mark, _, _ in _FENCE.findall((SOURCE / name).read_text()) if mark]


def shell_blocks(name):
    """(mark, text) of each block of shell; the mark is empty where none stands before it."""
    return [(mark, text) for mark, language, text in _FENCE.findall((SOURCE / name).read_text()) if language == "sh"]


def marked(name, wanted):
    """The text of the block with this mark."""
    return next(text for mark, text in shell_blocks(name) if mark == wanted)


def commands(name):
    """The commands that no mark tells who runs them."""
    return _commands([block for block in _FENCE.findall((SOURCE / name).read_text()) if not block[0]])


def _commands(found_blocks):
    """Continued lines are one, comments are taken off, variables that are set go together."""
    found = []
    for _, language, text in found_blocks:
        if language not in ("", "sh", "bash", "console"):
            continue
        lines = [re.sub(r"(^|\s)#.*$", "", line).rstrip() for line in text.replace("\\\n", " ").splitlines()]
        lines = [re.sub(r"\s+", " ", line).strip() for line in lines if line.strip()]
        if lines and all(re.match(r"^[A-Z_]+=", line) for line in lines):
            lines = ["\n".join(lines)]
        found += lines
    return found


def block_of(name, language, beginning):
    """The one block of this language that begins so."""
    [found] = [text for each, text in blocks(name) if each == language and text.startswith(beginning)]
    return found

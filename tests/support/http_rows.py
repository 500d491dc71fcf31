"""The rows of tests/http/*/*.yaml for the Python tests; tests/support/http_rows.hpp reads them for C++.

The format stands in tests/http/README.md.
"""

from dataclasses import dataclass
from pathlib import Path

import yaml


@dataclass(frozen=True)
class Row:
    says: str
    rfc: str
    message: bytes
    refused: str
    status: int
    forwarded: bytes | None
    body: bytes | None
    trailers: bytes
    left: bytes
    incomplete: bool


def text_of(node):
    """A text, or a list of texts and of {repeat: text, times: number}. Bytes are code points up to U+00FF."""
    if isinstance(node, list):
        return b"".join(text_of(piece["repeat"]) * piece["times"] if isinstance(piece, dict) else text_of(piece)
                        for piece in node)
    return str(node).encode("latin-1")


def row_of(node, name=None, value=None):
    def text(key):
        if key not in node:
            return None
        return text_of(node[key]) if value is None else text_of(node[key]).replace(b"{}", value)

    return Row(says=node["says"] if value is None else node["says"].replace("{}", name), rfc=str(node["rfc"]),
               message=text("request") or text("response") or b"", refused=(text("refused") or b"").decode(),
               status=node.get("status", 0), forwarded=text("forwarded"), body=text("body"),
               trailers=text("trailers") or b"", left=text("left") or b"", incomplete=node.get("incomplete", False))


def rows_of(node):
    each = node.get("each")
    if each is None:
        return [row_of(node)]
    named = each.items() if isinstance(each, dict) else [(str(value), value) for value in each]
    return [row_of(node, str(name), text_of(value)) for name, value in named]


def load_rows(directory):
    """Of all files in the directory, in the order of their names."""
    return [row for file in sorted(Path(directory).iterdir()) for node in yaml.safe_load(file.read_text())
            for row in rows_of(node)]

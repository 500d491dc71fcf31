"""The secret numbers of a private key, and every form in which they could lie in a process's memory."""

import base64
from dataclasses import dataclass


def _der_items(data):
    """The elements of a DER sequence's content as (tag, content)."""
    items = []
    while data:
        tag, length, header = data[0], data[1], 2
        if length & 0x80:
            header += length & 0x7F
            length = int.from_bytes(data[2:header], "big")
        items.append((tag, data[header : header + length]))
        data = data[header + length :]
    return items


def _content(data):
    return _der_items(data)[0][1]


@dataclass(frozen=True)
class SecretForms:
    text: dict  # forms that are PEM text or DER: gone once the key is loaded
    live: dict  # forms that arithmetic uses: somewhere in the keyholder


def secret_forms(pem):
    """What to search for, by name, from an unencrypted PKCS#8 PEM."""
    body = [line for line in pem.strip().splitlines() if not line.startswith("-----")]
    der = base64.b64decode("".join(body))
    inner = next(content for tag, content in _der_items(_content(der)) if tag == 0x04)
    # The first line of a PEM body may be the same for all keys of a type (EC, RSA); a later one never is.
    text = {"PEM": body[len(body) // 2].encode(), "DER": der, "inner DER": inner}
    return SecretForms(text, dict(_number_forms(_secret_numbers(inner))))


def _secret_numbers(inner):
    """Name → big-endian bytes, from RFC 8410 (a bare OCTET STRING), RFC 5915 or RFC 8017."""
    if inner[0] == 0x04:
        return {"seed": _content(inner)}
    items = _der_items(_content(inner))
    if items[1][0] == 0x04:
        return {"scalar": items[1][1]}
    return {name: items[place][1].lstrip(b"\0") for name, place in (("d", 3), ("p", 4), ("q", 5))}


def _number_forms(numbers):
    for name, value in numbers.items():
        yield f"{name}, big-endian", value
        if name != "seed":
            yield f"{name}, little-endian", value[::-1]


def found_in(process, forms):
    """The names of the forms that this process's memory holds."""
    found = set()
    for _, memory in process.readable_memory():
        found |= {name for name, value in forms.items() if value in memory}
    return found

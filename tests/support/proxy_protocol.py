"""PROXY headers, written as freely as a test wants, and read strictly (haproxy doc/proxy-protocol.txt)."""

import socket
import struct
from dataclasses import dataclass, field

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
LOCAL, PROXY = 0x20, 0x21
UNSPEC, TCP4, TCP6, UNIX = 0x00, 0x11, 0x21, 0x31
ALPN, AUTHORITY, CRC32C, NOOP, UNIQUE_ID, SSL = 0x01, 0x02, 0x03, 0x04, 0x05, 0x20
SSL_VERSION, SSL_CN, SSL_CIPHER, SSL_GROUP = 0x21, 0x22, 0x23, 0x26

CLIENT4, SERVER4 = ("192.0.2.1", 4660), ("198.51.100.2", 443)
CLIENT6, SERVER6 = ("2001:db8::1", 4660), ("2001:db8::2", 443)


def v1(source=CLIENT4, destination=SERVER4):
    family = "TCP6" if ":" in source[0] else "TCP4"
    return f"PROXY {family} {source[0]} {destination[0]} {source[1]} {destination[1]}\r\n".encode()


def tlv(kind, value):
    return struct.pack(">BH", kind, len(value)) + value


def block(command, family, rest):
    return SIGNATURE + struct.pack(">BBH", command, family, len(rest)) + rest


def addresses(source, destination):
    family = socket.AF_INET6 if ":" in source[0] else socket.AF_INET
    hosts = b"".join(socket.inet_pton(family, host) for host, _ in (source, destination))
    return hosts + struct.pack(">HH", source[1], destination[1])


def v2(source=CLIENT4, destination=SERVER4, tlvs=b""):
    return block(PROXY, TCP6 if ":" in source[0] else TCP4, addresses(source, destination) + tlvs)


def v2_summed(source=CLIENT4, destination=SERVER4, tlvs=b""):
    """With its CRC32C, last."""
    made = v2(source, destination, tlvs + tlv(CRC32C, bytes(4)))
    return made[:-4] + struct.pack(">I", crc32c(made))


def crc32c(data):
    total = 0xFFFFFFFF
    for byte in data:
        total ^= byte
        for _ in range(8):
            total = (total >> 1) ^ 0x82F63B78 if total & 1 else total >> 1
    return total ^ 0xFFFFFFFF


@dataclass
class Header:
    version: int
    source: tuple | None = None  # None: UNKNOWN, UNSPEC or LOCAL
    destination: tuple | None = None
    command: int = PROXY
    fields: list = field(default_factory=list)  # (type, value)

    def value(self, kind):
        found = [value for known, value in self.fields if known == kind]
        assert len(found) <= 1, (kind, found)
        return found[0] if found else None

    def ssl(self):
        """(flags, verify, {type: value}) of the field of TLS."""
        value = self.value(SSL)
        if value is None:
            return None
        flags, verify = struct.unpack(">BI", value[:5])
        inside = split(value[5:])
        assert len(dict(inside)) == len(inside), inside
        return flags, verify, dict(inside)


def split(data):
    found = []
    while data:
        kind, size = struct.unpack(">BH", data[:3])
        assert len(data) >= 3 + size, data
        found.append((kind, data[3 : 3 + size]))
        data = data[3 + size :]
    return found


def take(connection, count):
    data = b""
    while len(data) < count:
        part = connection.recv(count - len(data))
        assert part, f"ended within a header, after {data!r}"
        data += part
    return data


def read(connection):
    """The header that a connection begins with; not one byte more is taken."""
    start = take(connection, 12)
    return read_v2(connection) if start == SIGNATURE else read_v1(connection, start)


def read_v1(connection, start):
    assert start.startswith(b"PROXY "), start
    line = start
    while not line.endswith(b"\r\n"):
        line += take(connection, 1)
        assert len(line) <= 107, line
    words = line[:-2].decode("ascii").split(" ")
    if words[1] == "UNKNOWN":
        assert len(words) == 2, words
        return Header(1)
    _, family, source, destination, source_port, destination_port = words
    assert family == ("TCP6" if ":" in source else "TCP4"), words
    return Header(1, (source, int(source_port)), (destination, int(destination_port)))


def read_v2(connection):
    fixed = take(connection, 4)
    command, family, size = struct.unpack(">BBH", fixed)
    rest = take(connection, size)
    header = Header(2, command=command)
    width = {UNSPEC: 0, TCP4: 4, TCP6: 16}[family]
    if width:
        kind = socket.AF_INET if width == 4 else socket.AF_INET6
        hosts = [socket.inet_ntop(kind, rest[at : at + width]) for at in (0, width)]
        ports = struct.unpack(">HH", rest[2 * width : 2 * width + 4])
        header.source, header.destination = zip(hosts, ports)
        rest = rest[2 * width + 4 :]
    header.fields = split(rest)
    check_sum(SIGNATURE + fixed, header, rest)
    return header


def check_sum(start, header, rest):
    told = header.value(CRC32C)
    if told is not None:
        with_zeros = rest.replace(tlv(CRC32C, told), tlv(CRC32C, bytes(4)))
        summed = start + b"" + _addresses_of(header) + with_zeros
        assert crc32c(summed) == struct.unpack(">I", told)[0], "the checksum does not fit"


def _addresses_of(header):
    return addresses(header.source, header.destination) if header.source else b""

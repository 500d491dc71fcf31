"""A name server for the tests: what it answers is changed while it runs."""

import socket
import struct
import threading
import time

from dnslib import AAAA, QTYPE, RCODE, RR, A, DNSRecord

from support.ports import free_port


class NameServer:
    """Answers by UDP and TCP. `zone`: name → addresses, or "SERVFAIL", or "SILENT" for no answer at all; every other
    name does not exist. `asked`: what came, as (transport, name, type). Use as a context manager."""

    def __init__(self, zone=None, host="127.0.0.1", port=0, ttl=1, truncates=False, delay=0.0):
        self.zone, self.ttl, self.truncates, self.delay = zone or {}, ttl, truncates, delay
        self.asked = []
        self._tcp = socket.create_server((host, port or free_port()))  # of no client's range, whose UDP port it might be
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(self._tcp.getsockname())
        self.port = self._tcp.getsockname()[1]
        self.address = f"{host}:{self.port}"
        self._threads = [threading.Thread(target=target, daemon=True) for target in (self._serve_udp, self._serve_tcp)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._tcp.shutdown(socket.SHUT_RDWR)
        try:
            self._udp.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it is not connected; who waits on it is woken all the same
        for thread in self._threads:
            thread.join(5)
            assert not thread.is_alive()
        self._tcp.close()
        self._udp.close()

    def times_asked(self, name, transport="udp"):
        return sum(1 for how, asked, _ in list(self.asked) if (how, asked) == (transport, name))

    def _serve_udp(self):
        while True:
            try:
                query, client = self._udp.recvfrom(4096)
            except OSError:
                return
            if not query:
                return
            if answer := self._answer("udp", query):
                self._udp.sendto(answer, client)

    def _serve_tcp(self):
        while True:
            try:
                connection, _ = self._tcp.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                while len(size := connection.recv(2, socket.MSG_WAITALL)) == 2:
                    query = connection.recv(struct.unpack("!H", size)[0], socket.MSG_WAITALL)
                    if answer := self._answer("tcp", query):
                        connection.sendall(struct.pack("!H", len(answer)) + answer)

    def _answer(self, transport, query):
        request = DNSRecord.parse(query)
        name, kind = str(request.q.qname).rstrip("."), QTYPE[request.q.qtype]
        self.asked.append((transport, name, kind))
        known = self.zone.get(name)
        if known == "SILENT":
            return None
        time.sleep(self.delay)
        reply = request.reply()
        if known == "SERVFAIL":
            reply.header.rcode = RCODE.SERVFAIL
        elif known is None:
            reply.header.rcode = RCODE.NXDOMAIN
        elif self.truncates and transport == "udp":
            reply.header.tc = 1
        else:
            for address in known:
                of = "AAAA" if ":" in address else "A"
                if of == kind:
                    data = AAAA(address) if of == "AAAA" else A(address)
                    reply.add_answer(RR(request.q.qname, getattr(QTYPE, of), rdata=data, ttl=self.ttl))
        return reply.pack()

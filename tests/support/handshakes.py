"""Clients that shake hands all the time."""

import json
import subprocess
import sys


class Load:
    """Clients in processes of their own, which shake hands all the time; `result` tells how often, and what failed."""

    SCRIPT = """
import json, select, socket, ssl, sys
host, port, ca = sys.argv[1], int(sys.argv[2]), sys.argv[3]
context = ssl.create_default_context(cafile=ca)
context.options |= ssl.OP_NO_TICKET
made, failed, leaves = 0, [], set()
while not select.select([sys.stdin], [], [], 0)[0]:
    try:
        with context.wrap_socket(socket.create_connection((host, port), 20), server_hostname="localhost") as client:
            client.sendall(b"well")
            assert client.recv(4) == b"well"
            leaves.add(client.getpeercert()["serialNumber"])
        made += 1
    except (OSError, AssertionError) as error:
        failed.append(repr(error))
print(json.dumps({"made": made, "failed": failed, "leaves": len(leaves)}))
"""

    def __init__(self, address, ca, processes=2):
        self.processes = [
            subprocess.Popen([sys.executable, "-c", self.SCRIPT, *map(str, address), str(ca)], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, text=True) for _ in range(processes)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.communicate()

    def result(self):
        told = [json.loads(process.communicate("\n", timeout=30)[0]) for process in self.processes]
        return {"made": sum(t["made"] for t in told), "failed": [f for t in told for f in t["failed"]],
                "leaves": max(t["leaves"] for t in told)}

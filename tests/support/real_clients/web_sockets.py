"""python web_sockets.py URL CA COUNT: so many WebSockets, each with a message every 100 ms that has to come back.

One that is told to go (1001, or 1012) comes back by another connection. Ends at SIGTERM; prints JSON: how many messages
came back, how often it was told to go, and what else happened, which should be nothing.
"""

import asyncio
import json
import signal
import ssl
import sys

import websockets

URL, CA, COUNT = sys.argv[1], sys.argv[2], int(sys.argv[3])
GOING_AWAY, SERVICE_RESTART = 1001, 1012
TLS = ssl.create_default_context(cafile=CA)
TLS.check_hostname = False
told = {"echoed": 0, "told_to_go": 0, "troubles": []}


async def talk(ending):
    async with websockets.connect(URL, ssl=TLS, open_timeout=10) as socket:
        await asyncio.wait_for(socket.recv(), 10)
        number = 0
        while not ending.is_set():
            number += 1
            await socket.send(f"message {number}")
            answer = await asyncio.wait_for(socket.recv(), 10)
            if answer != f"message {number}":
                told["troubles"].append(f"{answer!r} came in place of {number}")
            told["echoed"] += 1
            await asyncio.sleep(0.1)


async def stay(ending):
    while not ending.is_set():
        try:
            await talk(ending)
        except websockets.ConnectionClosed as closed:
            if closed.rcvd is not None and closed.rcvd.code in (GOING_AWAY, SERVICE_RESTART):
                told["told_to_go"] += 1
            else:
                told["troubles"].append(f"closed: {closed}")
        except Exception as error:
            told["troubles"].append(f"{type(error).__name__}: {error}")
            await asyncio.sleep(0.1)


async def main():
    ending = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ending.set)
    await asyncio.gather(*(stay(ending) for _ in range(COUNT)))
    print(json.dumps(told))


asyncio.run(main())

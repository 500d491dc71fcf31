"""What a browser is shown: a page with 200 sub-resources, a WebSocket and server-sent events. It reports what it saw.

The report comes by POST /report; GET /reported gives it to the test, or null.
"""

import asyncio

from fastapi import FastAPI, Request, Response, WebSocket
from fastapi.responses import HTMLResponse, StreamingResponse

app = FastAPI()
reported = {"report": None}

PAGE = """<!doctype html><title>a page</title>
%s
<script>
const loaded = document.images;
const sized = () => [...loaded].filter((image) => image.naturalWidth === 1).length;

const socket = () => new Promise((done, failed) => {
  const socket = new WebSocket(`wss://${location.host}/ws`);
  const heard = [];
  socket.onopen = () => ['one', 'two', 'three'].forEach((word) => socket.send(word));
  socket.onmessage = (message) => { heard.push(message.data); if (heard.length === 3) socket.send('bye'); };
  socket.onclose = (end) => done({ heard, code: end.code, clean: end.wasClean });
  socket.onerror = () => failed('the WebSocket');
});
const events = () => new Promise((done, failed) => {
  const source = new EventSource('/events');
  const heard = [];
  source.onmessage = (event) => { heard.push(event.data); if (heard.length === 5) { source.close(); done(heard); } };
  source.onerror = () => failed('the events');
});
const upload = async () => (await (await fetch('/upload', { method: 'POST', body: new Uint8Array(1 << 20) })).json());

addEventListener('load', async () => {
  let report;
  try {
    report = { images: sized(), socket: await socket(), events: await events(), upload: await upload() };
    const entries = performance.getEntriesByType('resource').filter((entry) => entry.name.includes('/image/'));
    report.protocols = [...new Set(entries.map((entry) => entry.nextHopProtocol))];
    report.page = performance.getEntriesByType('navigation')[0].nextHopProtocol;
  } catch (error) {
    report = { error: String(error) };
  }
  fetch('/report', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(report) });
});
</script>
""" % "\n".join(f'<img src="/image/{number}.svg">' for number in range(200))


@app.get("/")
def page():
    return HTMLResponse(PAGE)


@app.get("/image/{name}")
def image(name: str):
    return Response('<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"></svg>', media_type="image/svg+xml")


@app.get("/events")
def events():
    async def each():
        for number in range(5):
            yield f"data: {number}\n\n"
            await asyncio.sleep(0.05)
        await asyncio.sleep(60)

    return StreamingResponse(each(), media_type="text/event-stream")


@app.post("/upload")
async def upload(request: Request):
    return len(await request.body())


@app.websocket("/ws")
async def web_socket(socket: WebSocket):
    await socket.accept()
    while (word := await socket.receive_text()) != "bye":
        await socket.send_text(word)
    await socket.close(4000)


@app.post("/report")
async def report(request: Request):
    reported["report"] = await request.json()
    return {}


@app.get("/reported")
def what_was_reported():
    return reported["report"]

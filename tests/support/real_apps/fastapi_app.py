"""A FastAPI app as anybody would write it: nothing in it knows of a proxy. What each path does: support/real_app.py."""

import asyncio
import hashlib

from fastapi import FastAPI, Request, Response, WebSocket, WebSocketDisconnect
from fastapi.responses import JSONResponse, RedirectResponse, StreamingResponse

from support.payload import chunks

app = FastAPI()
released = asyncio.Queue()


@app.get("/seen")
def seen(request: Request):
    return {"scheme": request.url.scheme, "client": request.client.host, "url": str(request.url),
            "fields": [[name.decode(), value.decode("latin-1")] for name, value in request.headers.raw]}


@app.get("/redirect")
def redirect(request: Request):
    return RedirectResponse(request.url_for("seen"))


@app.get("/bytes/{count}")
@app.head("/bytes/{count}")
def of_known_length(count: int):
    return StreamingResponse(chunks(count), headers={"Content-Length": str(count)})


@app.get("/stream/{count}")
def of_unknown_length(count: int):
    return StreamingResponse(chunks(count))


@app.post("/digest")
async def digest(request: Request):
    sha, size = hashlib.sha256(), 0
    async for part in request.stream():
        sha.update(part)
        size += len(part)
    return {"sha256": sha.hexdigest(), "size": size}


@app.get("/nothing")
def nothing():
    return Response(status_code=204)


@app.get("/same")
def same(request: Request):
    if request.headers.get("If-None-Match") == '"7766"':
        return Response(status_code=304, headers={"ETag": '"7766"'})
    return Response("a page", headers={"ETag": '"7766"'})


@app.get("/cookies")
def cookies(request: Request):
    response = JSONResponse(dict(request.cookies))
    response.set_cookie("a", "1", httponly=True)
    response.set_cookie("b", "2", secure=True)
    return response


@app.get("/events")
def events(count: int):
    async def each():
        for number in range(count):
            yield f"id: {number}\ndata: event {number}\n\n"
            await released.get()

    return StreamingResponse(each(), media_type="text/event-stream")


@app.post("/next")
async def release_next():
    released.put_nowait(None)
    return {}


@app.websocket("/ws")
async def web_socket(socket: WebSocket):
    await socket.accept(subprotocol=(socket.scope["subprotocols"] or [None])[0])
    await socket.send_json({"scheme": socket.url.scheme, "client": socket.client.host})
    try:
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            text = message.get("text")
            if text and text.startswith("close "):
                return await socket.close(int(text.split()[1]))
            if text is not None:
                await socket.send_text(text)
            else:
                await socket.send_bytes(message["bytes"])
    except WebSocketDisconnect:
        pass

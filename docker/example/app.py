"""The worked example: policies kept by an API and pushed by WebSocket to whoever follows them, as OPAL does it.

It knows nothing of TLS, and nothing of Sallyport:  uvicorn app:app --port 7766
"""

import asyncio

from fastapi import FastAPI, HTTPException, Request, WebSocket, WebSocketDisconnect

app = FastAPI()
policies = {}
followers = set()
written = asyncio.Condition()


@app.get("/healthcheck")
def healthcheck():
    return {"status": "ok"}


@app.get("/whoami")
def whoami(request: Request):
    """What the app sees of the client: the scheme and the address are right only if it believes the proxy."""
    return {"scheme": request.url.scheme, "client": request.client.host}


@app.get("/policies/{name}")
def read(name: str):
    if name not in policies:
        raise HTTPException(404)
    return policies[name]


@app.get("/policies/{name}/next")
async def wait_for(name: str):
    """Answers when it is written anew: for those who cannot follow by WebSocket."""
    old = policies.get(name)
    async with written:
        await written.wait_for(lambda: policies.get(name) is not old)
    return policies[name]


@app.put("/policies/{name}", status_code=204)
async def write(name: str, request: Request):
    async with written:
        policies[name] = await request.json()
        written.notify_all()
    for follower in list(followers):
        await follower.send_json({"policy": name, "is": policies[name]})


@app.websocket("/ws")
async def follow(follower: WebSocket):
    await follower.accept()
    followers.add(follower)
    await follower.send_json({"scheme": follower.url.scheme, "policies": sorted(policies)})
    try:
        while True:
            await follower.receive_text()
    except WebSocketDisconnect:
        followers.discard(follower)

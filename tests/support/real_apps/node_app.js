// The same app on Node's http module. What each path does: support/real_app.py.
'use strict';
const crypto = require('crypto');
const fs = require('fs');
const http = require('http');

const [port, keepAliveMs] = process.argv.slice(2).map(Number);
const waiting = []; // who waits for the next release
let released = 0; // that nobody waited for
const next = () => (released > 0 ? (released--, Promise.resolve()) : new Promise((resolve) => waiting.push(resolve)));
const release = () => (waiting.length ? waiting.shift()() : released++);

const block = fs.readFileSync(0);
function send(response, count, sent = 0) {
  while (sent < count) {
    const at = sent % block.length;
    const piece = block.subarray(at, Math.min(at + 65536, at + count - sent));
    sent += piece.length;
    if (!response.write(piece)) return response.once('drain', () => send(response, count, sent));
  }
  response.end();
}

const json = (response, value, fields) => {
  const text = JSON.stringify(value);
  response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': text.length, ...fields });
  response.end(text);
};

const paths = {
  seen(request, response) {
    const scheme = request.headers['x-forwarded-proto'] || 'http';
    const fields = [];
    for (let i = 0; i < request.rawHeaders.length; i += 2) fields.push(request.rawHeaders.slice(i, i + 2));
    const client = request.headers['x-forwarded-for'];
    json(response, { scheme, client, url: `${scheme}://${request.headers.host}${request.url}`, fields });
  },
  redirect(request, response) {
    const { host, 'x-forwarded-proto': scheme } = request.headers;
    response.writeHead(307, { Location: `${scheme}://${host}/seen` }).end();
  },
  bytes(request, response, count) {
    response.writeHead(200, { 'Content-Length': count });
    if (request.method === 'HEAD') response.end();
    else send(response, count);
  },
  stream(request, response, count) { send(response, count); },
  async digest(request, response) {
    const sha = crypto.createHash('sha256');
    let size = 0;
    for await (const part of request) {
      sha.update(part);
      size += part.length;
    }
    json(response, { sha256: sha.digest('hex'), size });
  },
  nothing(request, response) { response.writeHead(204).end(); },
  same(request, response) {
    const known = request.headers['if-none-match'] === '"7766"';
    response.writeHead(known ? 304 : 200, { ETag: '"7766"' }).end(known ? undefined : 'a page');
  },
  cookies(request, response) {
    const pairs = (request.headers.cookie || '').split('; ').filter(Boolean).map((pair) => pair.split('='));
    json(response, Object.fromEntries(pairs), { 'Set-Cookie': ['a=1; HttpOnly', 'b=2; Secure'] });
  },
  async events(request, response) {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    const count = Number(new URL(request.url, 'http://a').searchParams.get('count'));
    for (let number = 0; number < count; number++) {
      response.write(`id: ${number}\ndata: event ${number}\n\n`);
      await next();
    }
    response.end();
  },
  next(request, response) {
    request.resume();
    release();
    json(response, {});
  },
};

const server = http.createServer((request, response) => {
  const [, name, value] = new URL(request.url, 'http://a').pathname.split('/');
  if (paths[name]) paths[name](request, response, Number(value));
  else response.writeHead(404).end();
});
// Anything after the upgrade comes back as it is.
server.on('upgrade', (request, socket, first) => {
  const fields = `Connection: Upgrade\r\nUpgrade: ${request.headers.upgrade}\r\n`;
  socket.write(`HTTP/1.1 101 Switching Protocols\r\n${fields}\r\n`);
  socket.write(first);
  socket.allowHalfOpen = true;
  socket.pipe(socket);
  socket.on('error', () => {});
});
if (keepAliveMs) server.keepAliveTimeout = keepAliveMs;
server.listen(port, '127.0.0.1');

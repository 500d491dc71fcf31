// An app on Node's http2 module, without TLS: a WebSocket's bytes come back as they are (RFC 8441), but on /refuse, which
// is answered with 403; what else is asked for is answered with what came, and how many connections there were. With
// "plain" it offers no extended CONNECT.
'use strict';
const http2 = require('http2');

const [port, kind] = process.argv.slice(2);
const server = http2.createServer({ settings: { enableConnectProtocol: kind !== 'plain' } });
let connections = 0;
server.on('session', () => connections++);
server.on('stream', (stream, headers) => {
  stream.on('error', () => {});
  if (headers[':path'] === '/refuse') {
    stream.respond({ ':status': 403 });
    stream.end('no');
  } else if (headers[':protocol'] === 'websocket') {
    stream.respond({ ':status': 200, 'sec-websocket-accept': 'none', 'x-app': 'node' });
    stream.pipe(stream);
  } else {
    stream.respond({ ':status': 200, 'content-type': 'application/json' });
    stream.end(JSON.stringify({ ...headers, connections }));
  }
});
server.listen(Number(port), '127.0.0.1');

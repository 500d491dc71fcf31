// Reads requests with Node's own HTTP server, and says what it understood. For the differential test.
//
// In: the bytes of one connection a line, in hexadecimal digits. Out, one line of JSON each: the list of the requests, and
// the error that ended it, if one did.
'use strict';
const http = require('http');
const readline = require('readline');
const { Duplex } = require('stream');

const options = { insecureHTTPParser: false, maxHeaderSize: 1 << 20, keepAliveTimeout: 0 };

function understood(bytes) {
  return new Promise((resolve) => {
    const requests = [];
    const server = http.createServer(options);
    server.maxHeadersCount = 0;
    const socket = new Duplex({ read() {}, write(chunk, encoding, done) { done(); } });
    const end = (error) => { resolve({ requests, error }); socket.destroy(); };

    // Each request is answered when it has ended, so that the next one's turn comes.
    const take = (request, response) => {
      const body = [];
      request.on('data', (chunk) => body.push(chunk));
      request.on('end', () => {
        requests.push({
          method: request.method, url: request.url, headers: request.rawHeaders,
          body: Buffer.concat(body).toString('hex'), trailers: request.rawTrailers,
        });
        response.end();
        if (request.url === '/the-end') end(null);
      });
    };
    server.on('request', take);
    server.on('checkContinue', take);
    // After an upgrade there is no HTTP: all that follows the head is the other protocol's.
    server.on('upgrade', (request, _, rest) => {
      requests.push({ method: request.method, url: request.url, headers: request.rawHeaders, rest: rest.toString('hex') });
      end(null);
    });
    server.on('clientError', (error) => end(error.code || String(error)));
    socket.on('close', () => end('closed'));
    server.emit('connection', socket);
    socket.push(bytes);
    setTimeout(() => end('nothing more'), 3000).unref();
  });
}

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    console.log(JSON.stringify(await understood(Buffer.from(line, 'hex'))));
  }
})();

// node echo_app.js PORT [h2c]: sends a request's body back while it comes, cut anew by lot, after no wait for its end.
'use strict';
const { Transform } = require('node:stream');

class Cut extends Transform {
    _transform(bytes, _encoding, done) {
        const sizes = [1, 13, 4096, 16384, 16385, 65536];
        for (let at = 0; at < bytes.length;) {
            // Single bytes are dear: a handful in each piece that comes is enough.
            const size = at > 64 ? bytes.length : sizes[Math.floor(Math.random() * sizes.length)];
            this.push(bytes.subarray(at, at + size));
            at += size;
        }
        done();
    }
}

function echo(request, response) {
    response.setHeader('X-Protocol', request.httpVersion);
    request.pipe(new Cut()).pipe(response);
}

const [port, protocol] = process.argv.slice(2);
const server = protocol === 'h2c' ? require('node:http2').createServer(echo) : require('node:http').createServer(echo);
server.listen(Number(port), '127.0.0.1');

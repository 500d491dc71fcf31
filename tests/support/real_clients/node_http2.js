// What a program does with Node's http2 module: node_http2.js URL. Prints one line of JSON with what it found. The CA is
// in NODE_EXTRA_CA_CERTS.
'use strict';
const crypto = require('crypto');
const http2 = require('http2');

const session = http2.connect(process.argv[2]);
session.on('error', (error) => { throw error; });
const sha256 = (bytes) => crypto.createHash('sha256').update(bytes).digest('hex');

function ask(path, fields = {}, body) {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ':path': path, ...fields }, { endStream: body === undefined });
    const parts = [];
    let head;
    stream.on('response', (received) => { head = received; });
    stream.on('data', (part) => parts.push(part));
    stream.on('error', reject);
    stream.on('end', () => resolve({ status: head[':status'], head, body: Buffer.concat(parts) }));
    if (body !== undefined) stream.end(body);
  });
}

(async () => {
  const found = {};
  found.scheme = JSON.parse((await ask('/seen')).body).scheme;
  const body = crypto.randomBytes(5 << 20);
  const posted = JSON.parse((await ask('/digest', { ':method': 'POST' }, body)).body);
  found.upload = posted.sha256 === sha256(body) && posted.size === body.length;
  found.head = (await ask('/bytes/100', { ':method': 'HEAD' })).head['content-length'];
  found.nothing = (await ask('/nothing')).status;
  found.missing = (await ask('/none')).status;
  const all = await Promise.all(Array.from({ length: 200 }, (_, i) => ask(`/stream/${i * 100}`)));
  found.parallel = all.every((each, i) => each.body.length === i * 100);
  found.download = sha256((await ask('/bytes/20000000')).body);
  console.log(JSON.stringify(found));
  session.close();
})();

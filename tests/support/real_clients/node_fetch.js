// What a program does with Node's fetch: node_fetch.js URL. Prints one line of JSON with what it found. The CA is in
// NODE_EXTRA_CA_CERTS.
'use strict';
const crypto = require('crypto');

const origin = process.argv[2];
const url = (path) => `${origin}${path}`;
const sha256 = (bytes) => crypto.createHash('sha256').update(bytes).digest('hex');

(async () => {
  const found = {};
  found.seen = (await (await fetch(url('/seen'))).json()).scheme;
  found.redirected = (await fetch(url('/redirect'))).url;
  found.missing = (await fetch(url('/none'))).status;
  found.head = (await fetch(url('/bytes/100'), { method: 'HEAD' })).headers.get('content-length');
  found.nothing = (await fetch(url('/nothing'))).status;

  const body = crypto.randomBytes(3 << 20);
  const posted = await (await fetch(url('/digest'), { method: 'POST', body })).json();
  found.upload = posted.sha256 === sha256(body) && posted.size === body.length;
  async function* pieces() { for (let at = 0; at < body.length; at += 10007) yield body.subarray(at, at + 10007); }
  const streamed = await (await fetch(url('/digest'), { method: 'POST', body: pieces(), duplex: 'half' })).json();
  found.streamedUpload = streamed.sha256 === sha256(body) && streamed.size === body.length;

  const size = async (path) => (await (await fetch(url(path))).arrayBuffer()).byteLength;
  const all = await Promise.all(Array.from({ length: 50 }, (_, i) => size(`/stream/${i * 1000}`)));
  found.parallel = all.every((each, i) => each === i * 1000);

  const aborted = new AbortController();
  const events = await fetch(url('/events?count=2'), { signal: aborted.signal });
  found.event = new TextDecoder().decode((await events.body.getReader().read()).value);
  aborted.abort();
  await fetch(url('/next'), { method: 'POST' });
  found.download = sha256(Buffer.from(await (await fetch(url('/bytes/5000000'))).arrayBuffer()));
  console.log(JSON.stringify(found));
  process.exit(0);
})();

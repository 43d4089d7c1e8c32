// Load generator: one process, many unary gRPC calls over node:http2 with bodies encoded beforehand, so that it costs
// less than what it measures. Talks to its parent over IPC: a job comes in, a result goes out.
import { connect } from 'node:http2';

/** One HTTP/2 session for each connection; resolves once all are open. */
async function openSessions(addresses, connections) {
  const sessions = [];
  for (let at = 0; at < connections; at++) {
    const session = connect(`http://${addresses[at % addresses.length]}`, { settings: { initialWindowSize: 1 << 20 } });
    session.on('error', () => undefined);
    await new Promise((resolve, reject) => {
      session.once('connect', resolve);
      session.once('error', reject);
    });
    sessions.push(session);
  }
  return sessions;
}

/** One call; resolves with the gRPC status code, or a word for what went wrong below gRPC. */
function call(session, path, body) {
  return new Promise((resolve) => {
    let status;
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc+proto',
      te: 'trailers',
    });
    const note = (headers) => {
      status = headers['grpc-status'] ?? status;
    };
    stream.on('response', note);
    stream.on('trailers', note);
    stream.on('error', () => undefined);
    stream.on('close', () => resolve(status ?? 'broken'));
    stream.resume();
    stream.end(body);
  });
}

async function client({ session, job, random, results, until }) {
  while (performance.now() < until) {
    const { path, body } = job.next(random);
    const started = performance.now();
    const status = await call(session, path, body);
    if (status === '0') results.latencies.push(performance.now() - started);
    else results.errors[status] = (results.errors[status] ?? 0) + 1;
  }
}

/** A frame of gRPC: not compressed, length, message. */
function frame(message) {
  const header = Buffer.alloc(5);
  header.writeUInt32BE(message.length, 1);
  return Buffer.concat([header, message]);
}

function field(number, bytes) {
  const length = [];
  let rest = bytes.length;
  do {
    length.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    rest >>>= 7;
  } while (rest > 0);
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length]), bytes]);
}

/** Requests by kind, over a fixed set of keys. */
function prepare({ operation, keys, valueBytes }) {
  const value = Buffer.alloc(valueBytes, 'v');
  const bodies = Array.from({ length: keys }, (_, at) => {
    const key = field(1, Buffer.from(`bench/${String(at).padStart(8, '0')}`));
    return frame(operation === 'put' ? Buffer.concat([key, field(3, value)]) : key);
  });
  const path = `/quorate.v1.KVService/${operation === 'put' ? 'Put' : 'Get'}`;
  return { next: (random) => ({ path, body: bodies[Math.floor(random() * bodies.length)] }) };
}

process.on('message', async (job) => {
  const sessions = await openSessions(job.addresses, job.connections);
  const results = { latencies: [], errors: {} };
  const prepared = prepare(job);
  const cpu = process.cpuUsage();
  const started = performance.now();
  const until = started + job.seconds * 1000;
  await Promise.all(
    Array.from({ length: job.clients }, (_, at) =>
      client({ session: sessions[at % sessions.length], job: prepared, random: Math.random, results, until }),
    ),
  );
  const elapsed = (performance.now() - started) / 1000;
  const used = process.cpuUsage(cpu);
  for (const session of sessions) session.close();
  process.send({ ...results, elapsed, cpuSeconds: (used.user + used.system) / 1e6 });
});

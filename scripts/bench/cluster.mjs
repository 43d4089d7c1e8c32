// A fresh cluster of three members on loopback, and the echo server: the processes that a benchmark loads.
import { fork, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { at } from '../lib/paths.mjs';

/** Ports of loopback that nobody uses now. */
export async function freePorts(count) {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise((resolve) => {
          const server = createServer();
          server.listen(0, '127.0.0.1', () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** Starts the process of a member, which `restart` does again. */
export function startMember(member, start) {
  member.restart = () => {
    member.process = start();
  };
  member.restart();
}

/** Arguments of a member that speaks TLS with clients and peers. */
const tlsArgs = ({ ca, certificate, key }) => [
  ...['--client-cert-file', certificate, '--client-key-file', key],
  ...['--peer-cert-file', certificate, '--peer-key-file', key, '--peer-ca-file', ca],
];

/**
 * Starts three members, each with its data below the directory; `more` are arguments for each. With `preload`, a script that
 * each loads first, they may tell their parent something (`process.send`). With `tls`, certificates by `makeCertificates`,
 * all connections are TLS.
 */
export async function startCluster(directory, more = [], { preload, tls } = {}) {
  const ports = await freePorts(6);
  const members = [0, 1, 2].map((number) => ({
    name: `m${number + 1}`,
    client: `127.0.0.1:${ports[2 * number]}`,
    peer: `127.0.0.1:${ports[2 * number + 1]}`,
    ca: tls?.ca,
  }));
  const initial = members.map(({ name, peer, client }) => `${name}=${peer}/${client}`).join(',');
  const stdio = ['ignore', 'ignore', 'inherit', ...(preload === undefined ? [] : ['ipc'])];
  for (const member of members) {
    const args = [
      ...(preload === undefined ? [] : ['--require', preload]),
      at('dist/main.js'),
      'serve',
      ...['--name', member.name, '--data-dir', join(directory, member.name), '--initial-members', initial],
      ...['--client-listen', member.client, '--peer-listen', member.peer, '--log-level', 'warn'],
      ...(tls === undefined ? [] : tlsArgs(tls)),
      ...more,
    ];
    startMember(member, () => spawn(process.execPath, args, { stdio }));
  }
  return members;
}

/** The member that leads, once there is one. */
export async function findLeader(members) {
  const { QuorateClient } = await import('../../dist/client/index.js');
  const until = Date.now() + 15_000;
  while (Date.now() < until) {
    for (const member of members) {
      const tls = member.ca === undefined ? {} : { tls: { ca: await readFile(member.ca) } };
      const client = new QuorateClient({ endpoints: [member.client], ...tls });
      try {
        const status = await client.cluster.status({ timeoutMs: 1000 });
        if (status.role === 'leader' && status.hasQuorum) return member;
      } catch {
        // Not up yet: asked again below.
      } finally {
        client.close();
      }
    }
    await sleep(100);
  }
  throw new Error('no leader within 15 s');
}

/** Starts the echo server, in the form of a member. */
export async function startEcho() {
  const child = fork(at('scripts/bench/echo-server.mjs'));
  const port = await new Promise((resolve, reject) => {
    child.once('message', resolve);
    child.once('exit', (code) => reject(new Error(`the echo server ended with code ${code}`)));
  });
  return { name: 'echo', client: `127.0.0.1:${port}`, process: child };
}

/** Ends the processes; returns once they are gone. */
export async function stopAll(members) {
  await Promise.all(
    members.map(async ({ process: child }) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await ended;
      clearTimeout(timer);
    }),
  );
}

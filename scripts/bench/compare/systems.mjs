// The two systems that are compared: fresh clusters of three members each on loopback, both with fsync before every
// acknowledgement.
import { execFile, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { at } from '../../lib/paths.mjs';
import { freePorts, startCluster, startMember } from '../cluster.mjs';

const leaderWithinMs = 20_000;

/** Why a comparison would not be one: one side need not wait for its disk. `undefined` if both must. */
export function unsafeReason(env = process.env) {
  const unsafe = ['QUORATE_UNSAFE_SYNCHRONOUS', 'ETCD_UNSAFE_NO_FSYNC'].filter((name) => env[name] !== undefined);
  return unsafe.length === 0 ? undefined : `${unsafe.join(', ')} is set: what is not durable is not compared`;
}

/** Starts quorate; `args` go to every member, `tls` are certificates, if it shall use TLS. */
export async function startQuorate(directory, args = [], tls = undefined) {
  const members = await startCluster(join(directory, 'quorate'), args, { tls });
  return { name: 'quorate', members, leader: await leaderOf(members) };
}

/** Were there a --trusted-ca-file as well, clients would need certificates. */
const etcdTlsArgs = ({ ca, certificate, key }) => [
  ...['--cert-file', certificate, '--key-file', key],
  ...['--peer-cert-file', certificate, '--peer-key-file', key, '--peer-trusted-ca-file', ca, '--peer-client-cert-auth'],
];

/** Starts Debian's etcd, with room for the data of a long run and otherwise its defaults. */
export async function startEtcd(directory, tls = undefined, program = 'etcd') {
  const ports = await freePorts(6);
  const members = [0, 1, 2].map((number) => ({
    name: `e${number + 1}`,
    client: `127.0.0.1:${ports[2 * number]}`,
    peer: `127.0.0.1:${ports[2 * number + 1]}`,
    ca: tls?.ca,
  }));
  const scheme = tls === undefined ? 'http' : 'https';
  const initial = members.map(({ name, peer }) => `${name}=${scheme}://${peer}`).join(',');
  for (const member of members) {
    const [client, peer] = [`${scheme}://${member.client}`, `${scheme}://${member.peer}`];
    const args = [
      ...['--name', member.name, '--data-dir', join(directory, member.name), '--initial-cluster', initial],
      ...['--listen-client-urls', client, '--advertise-client-urls', client],
      ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer],
      ...['--quota-backend-bytes', String(8 * 2 ** 30), '--log-level', 'error'],
      ...(tls === undefined ? [] : etcdTlsArgs(tls)),
    ];
    startMember(member, () => spawn(program, args, { stdio: ['ignore', 'ignore', 'ignore'] }));
  }
  return { name: 'etcd', members, leader: await leaderOf(members) };
}

/** The version that Debian's etcd tells of itself. */
export async function etcdVersion(program = 'etcd') {
  const { stdout } = await promisify(execFile)(program, ['--version']);
  return /etcd Version: (\S+)/.exec(stdout)?.[1] ?? 'unknown';
}

/** A client of one service of etcd's API on one member of either system; `ca`: of its TLS. */
export async function etcdClient(kind, { client: address, ca }) {
  const [{ credentials }, stubs] = await Promise.all([import('@grpc/grpc-js'), import(stubsOf[kind])]);
  const secure = ca === undefined ? credentials.createInsecure() : credentials.createSsl(await readFile(ca));
  return new stubs[`${kind}Client`](address, secure);
}

const stubsOf = {
  KV: at('dist/gen/etcd/etcdserverpb/kv.js'),
  Lease: at('dist/gen/etcd/etcdserverpb/lease.js'),
  Maintenance: at('dist/gen/etcd/etcdserverpb/maintenance.js'),
};

/** Makes one unary call of a generated client. */
export const ask = (client, method, request, timeoutMs = 5000) =>
  new Promise((resolve, reject) => {
    client[method](request, { deadline: Date.now() + timeoutMs }, (error, answer) =>
      error === null ? resolve(answer) : reject(error),
    );
  });

/** The member that leads, once there is one. */
export async function leaderOf(members) {
  const until = Date.now() + leaderWithinMs;
  while (Date.now() < until) {
    for (const member of members) {
      const client = await etcdClient('Maintenance', member);
      try {
        const { header, leader } = await ask(client, 'status', {}, 1000);
        if (leader !== 0n && header.memberId === leader) return member;
      } catch {
        // Not up yet: asked again below.
      } finally {
        client.close();
      }
    }
    await sleep(100);
  }
  throw new Error(`no leader within ${leaderWithinMs / 1000} s`);
}

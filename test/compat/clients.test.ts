/** Programs on clients of etcd that nobody here wrote, unchanged against three members of etcd and of quorate. */
import { join } from 'node:path';
import { EtcdCluster, findForeign, type Foreign } from '../support/foreign';
import { ProcessCluster } from '../support/process-cluster';
import { runExample } from '../support/sdk';

const programs = join(__dirname, 'programs');
/** How many writes a program does while the leader dies. */
const count = 100;

/** What runs a program, and the least number of lines that it compares. */
interface Client {
  readonly name: string;
  readonly needs: 'node' | 'python';
  readonly command: (found: string) => readonly [string, ...string[]];
  readonly lines: number;
}

const clients: readonly Client[] = [
  {
    name: "npm's etcd3",
    needs: 'node',
    command: () => [process.execPath, join(programs, 'etcd3/main.cjs')],
    lines: 100,
  },
  {
    name: "npm's keyv with @keyv/etcd",
    needs: 'node',
    command: () => [process.execPath, join(programs, 'keyv.cjs')],
    lines: 30,
  },
  {
    name: "Debian's python3-etcd3",
    needs: 'python',
    command: (python) => [python, '-B', join(programs, 'python/main.py')],
    lines: 70,
  },
];

/** Members, and how the one that leads is killed. */
interface Side {
  readonly endpoints: readonly string[];
  readonly killLeader: () => Promise<unknown>;
  readonly stop: () => Promise<void>;
}

async function etcdSide(program: string): Promise<Side> {
  const etcd = await EtcdCluster.start(program, 3);
  return { endpoints: etcd.addresses, killLeader: () => etcd.killLeader(), stop: () => etcd.stop() };
}

async function quorateSide(): Promise<Side> {
  const cluster = await ProcessCluster.start();
  return {
    endpoints: cluster.members.map(({ clientAddress }) => clientAddress),
    killLeader: async () => cluster.end(await cluster.leader(), 'SIGKILL'),
    stop: () => cluster.stop(),
  };
}

/** Runs a program to its end; the leader dies when it says so. Returns its lines. */
async function linesOn(side: Side, { needs, command }: Client, found: string): Promise<readonly string[]> {
  const killed: Promise<unknown>[] = [];
  const env = {
    ENDPOINTS: side.endpoints.join(','),
    COUNT: String(count),
    ...(needs === 'node' && { NODE_PATH: found }),
  };
  const lines = await runExample(command(found), env, (line) => {
    if (line === 'the leader may die') killed.push(side.killLeader());
  });
  await Promise.all(killed);
  expect(killed).toHaveLength(1);
  return lines;
}

const server = findForeign('server', 'clients of etcd against etcd and quorate');

describe.each(clients)('A program on $name', (client) => {
  const found: Foreign = findForeign(client.needs, `a program on ${client.name}`);
  let sides: readonly [Side, Side];

  ('missing' in server || 'missing' in found ? it.skip : it)(
    'says the same as against etcd',
    async () => {
      sides = await Promise.all([etcdSide('path' in server ? server.path : ''), quorateSide()]);
      try {
        const path = 'path' in found ? found.path : '';
        const [ofEtcd, ofQuorate] = await Promise.all(sides.map((side) => linesOn(side, client, path)));
        expect(ofQuorate).toEqual(ofEtcd);
        expect(ofEtcd?.length).toBeGreaterThanOrEqual(client.lines);
        expect(ofEtcd).toContain(`seen: ${String(count)}`);
      } finally {
        await Promise.all(sides.map((side) => side.stop()));
      }
      // A minute where the machine is busy with other things.
    },
    300_000,
  );
});

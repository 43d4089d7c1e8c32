import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Background, type Ended, Etcdctl } from '../support/etcdctl';
import { EtcdCluster, findForeign } from '../support/foreign';
import { ProcessCluster } from '../support/process-cluster';

const server = findForeign('server', 'etcdctl against etcd and quorate');
const client = findForeign('client', 'etcdctl against etcd and quorate');

/** A command line; what follows `<` is given on standard input. */
type Line = string;

/** Each verb with what it can be asked. They run one after the other, so that both clusters see the same. */
const scripts: readonly (readonly [verb: string, lines: readonly Line[]])[] = [
  [
    'put',
    [
      'put a 1',
      'put a 2 --prev-kv',
      'put a --prev-kv -w json < from standard input',
      'put a --ignore-value -w fields',
      'put missing --ignore-value',
      'put a 3 --ignore-value',
      'put a x --lease=1234abcd',
      'put a --ignore-lease -w json < y',
      'put',
    ],
  ],
  [
    'get',
    [
      ...[1, 2, 3, 4, 5].map((at) => `put g/${String(at)} ${String(6 - at)}`),
      'get g/1',
      'get g/1 -w json',
      'get g/1 -w fields',
      'get g/1 -w protobuf --print-value-only',
      'get nothing',
      'get nothing -w json',
      'get g/ --prefix',
      'get g/2 g/4',
      'get g/3 --from-key',
      'get g/ --prefix --keys-only',
      'get g/ --prefix --limit=2 -w json',
      'get g/ --prefix --order=DESCEND',
      ...['CREATE', 'KEY', 'MODIFY', 'VALUE', 'VERSION'].map((by) => `get g/ --prefix --order=DESCEND --sort-by=${by}`),
      'get g/ --prefix --print-value-only',
      'get g/ --prefix --consistency=s',
      'get g/ --prefix --rev=8',
      'get g/ --prefix --rev=100000',
      'get',
    ],
  ],
  [
    'del',
    [
      'del g/1',
      'del g/1',
      'del g/2 --prev-kv',
      'del g/3 g/4 -w json --prev-kv',
      'del g/ --prefix',
      'put zz 1',
      'del zy --from-key -w fields',
      'del',
    ],
  ],
  [
    'txn',
    [
      'txn < mod("a") > "0"\\n\\nput t 1\\nget a\\n\\nput t 2\\n\\n',
      'txn -w json < value("t") = "1"\\ncreate("t") > "0"\\nversion("t") = "1"\\n\\ndel t --prev-kv\\n\\nget t\\n\\n',
      'txn < value("t") = "1"\\n\\nput t 1\\n\\nget t\\nput t 3\\n\\n',
      'txn < \\n\\nput twice 1\\nput twice 2\\n\\n\\n\\n',
      'txn < nonsense\\n\\n\\n\\n',
    ],
  ],
  [
    'lease',
    [
      'lease revoke 1234abcd',
      'lease timetolive 1234abcd',
      'lease timetolive 1234abcd --keys -w json',
      'lease keep-alive --once 1234abcd',
      'lease list',
    ],
  ],
  [
    'compaction',
    ['compaction 5', 'compaction 5', 'compaction 9 --physical', 'compaction 100000', 'get a --rev=4', 'compaction'],
  ],
  ['alarm', ['alarm list', 'alarm disarm', 'alarm list -w json']],
  [
    'endpoint',
    [
      'endpoint health',
      'endpoint health -w json',
      'endpoint hashkv',
      'endpoint status --cluster -w table',
      'endpoint hashkv --cluster',
    ],
  ],
  ['member list', ['member list', 'member list -w table', 'member list -w fields']],
  ['defrag', ['defrag', 'defrag --cluster']],
  ['version', ['version']],
];

/** Splits at blanks; what comes after ` < ` is standard input, with `\n` for its ends of lines. */
function parsed(line: Line): { readonly args: readonly string[]; readonly input: string } {
  const [command = '', input = ''] = line.split(' < ');
  return { args: command.split(' '), input: input.replaceAll('\\n', '\n') };
}

('missing' in server || 'missing' in client ? describe.skip : describe)('etcdctl', () => {
  let etcd: EtcdCluster;
  let quorate: ProcessCluster;
  let sides: readonly [Etcdctl, Etcdctl];
  const directory = mkdtempSync(join(tmpdir(), 'quorate-etcdctl-'));

  beforeAll(async () => {
    const [etcdPath, etcdctl] = [server, client].map((found) => ('path' in found ? found.path : '')) as [
      string,
      string,
    ];
    [etcd, quorate] = await Promise.all([EtcdCluster.start(etcdPath, 3), ProcessCluster.start()]);
    const addresses = quorate.members.map(({ clientAddress }) => clientAddress);
    sides = [new Etcdctl(etcdctl, etcd.addresses.slice(0, 1)), new Etcdctl(etcdctl, addresses.slice(0, 1))];
  }, 60_000);
  afterAll(async () => {
    for (const side of sides) side.stop();
    await Promise.all([etcd.stop(), quorate.stop()]);
    rmSync(directory, { recursive: true, force: true });
  });

  async function onBoth<T>(ask: (side: Etcdctl) => Promise<T>): Promise<readonly [T, T]> {
    return Promise.all([ask(sides[0]), ask(sides[1])]);
  }

  /** Runs a command on both; it has to say and do the same. */
  async function same(line: Line): Promise<Ended> {
    const { args, input } = parsed(line);
    const [ofEtcd, ofQuorate] = await onBoth((side) => side.run(args, input));
    expect({ line, ...ofQuorate }).toEqual({ line, ...ofEtcd });
    return ofEtcd;
  }

  it.each(scripts)('%s says the same as against etcd', async (_, lines) => {
    for (const line of lines) await same(line);
  });

  /** Runs a command on both until it has printed so many lines, with other commands in between. */
  async function sameInBackground(line: Line, lines: number, between: (of: readonly Background[]) => Promise<void>) {
    const { args } = parsed(line);
    const running = sides.map((side) => side.start(args));
    await between(running);
    for (const background of running) await background.lines(lines);
    for (const background of running) background.interrupt();
    const [ofEtcd, ofQuorate] = await Promise.all(running.map((background) => background.ended()));
    expect({ line, ...ofQuorate }).toEqual({ line, ...ofEtcd });
  }

  it.each([
    ['watch w/ --prefix --rev=1', 1],
    ['watch w/ --prefix --rev=9', 9],
    ['watch w/ --prefix --prev-kv --rev=9', 13],
    ['watch w/1 --rev=9 -w json', 3],
    ['watch w/1 w/3 --rev=9 -- echo changed', 13],
  ])('%s tells the same as against etcd', async (line, lines) => {
    for (const change of ['put w/1 x', 'put w/2 y', 'del w/1', 'put w/1 z']) await same(change);
    await sameInBackground(line, lines, async () => undefined);
  });
});

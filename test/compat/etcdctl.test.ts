import { type Background, type Ended, Etcdctl } from '../support/etcdctl';
import { EtcdCluster, findForeign } from '../support/foreign';
import { ProcessCluster } from '../support/process-cluster';
import { type Line, scripts, watches } from './etcdctl-scripts';

const server = findForeign('server', 'etcdctl against etcd and quorate');
const client = findForeign('client', 'etcdctl against etcd and quorate');

function parsed(line: Line): { readonly args: readonly string[]; readonly input: string } {
  const [command = '', input = ''] = line.split(' < ');
  return { args: command.split(' '), input: input.replaceAll('\\n', '\n') };
}

/** Members are listed in the order of their ids, which no two clusters share. */
function inOrder([verb]: readonly string[], ended: Ended): Ended {
  return verb === 'member' ? { ...ended, stdout: ended.stdout.split('\n').sort().join('\n') } : ended;
}

('missing' in server || 'missing' in client ? describe.skip : describe)('etcdctl', () => {
  let etcd: EtcdCluster;
  let quorate: ProcessCluster;
  let sides: readonly [Etcdctl, Etcdctl];

  beforeAll(async () => {
    const path = 'path' in server ? server.path : '';
    const program = 'path' in client ? client.path : '';
    [etcd, quorate] = await Promise.all([EtcdCluster.start(path, 3), ProcessCluster.start()]);
    const addresses = quorate.members.map(({ clientAddress }) => clientAddress);
    sides = [new Etcdctl(program, etcd.addresses), new Etcdctl(program, addresses)];
  }, 60_000);
  afterAll(async () => {
    for (const side of sides) side.stop();
    await Promise.all([etcd.stop(), quorate.stop()]);
  });

  /** Runs a command on both; it has to say and do the same. */
  async function same(line: Line): Promise<Ended> {
    const { args, input } = parsed(line);
    const [ofEtcd, ofQuorate] = await Promise.all([sides[0].run(args, input), sides[1].run(args, input)]);
    expect({ line, ...inOrder(args, ofQuorate) }).toEqual({ line, ...inOrder(args, ofEtcd) });
    return ofEtcd;
  }

  it.each(scripts)('%s says the same as against etcd', async (_, lines) => {
    for (const line of lines) await same(line);
  });

  /** Starts a command on both that goes on; stops it after so many lines, with other commands in between. */
  async function sameInBackground(line: Line, lines: number, between: () => Promise<void>): Promise<void> {
    const running: readonly Background[] = sides.map((side) => side.start(parsed(line).args));
    await between();
    for (const background of running) await background.lines(lines);
    for (const background of running) background.interrupt();
    const [ofEtcd, ofQuorate] = await Promise.all(running.map((background) => background.ended()));
    expect({ line, ...ofQuorate }).toEqual({ line, ...ofEtcd });
  }

  it.each(watches)('%s tells the same as against etcd', async (line, lines) => {
    const { stdout } = await same('put start here -w json');
    const start = Number(/"revision":(\d+)/.exec(stdout)?.[1]);
    for (const change of ['put w/1 x', 'put w/2 y', 'del w/1']) await same(change);
    await sameInBackground(line.replace('$START', String(start)), lines, async () => {
      await same('put w/1 z');
    });
  });

  it('elect lets one lead and tells who', async () => {
    const leaders = sides.map((side) => side.start(['elect', 'election', 'first']));
    for (const leader of leaders) await leader.lines(2);
    await sameInBackground('elect -l election', 2, () => Promise.resolve());
    for (const leader of leaders) leader.interrupt();
    const [ofEtcd, ofQuorate] = await Promise.all(leaders.map((leader) => leader.ended()));
    expect(ofQuorate).toEqual(ofEtcd);
    expect(ofEtcd?.stdout).toMatch(/^election\/ID\nfirst\n/);
  });

  it('lock is held by one at a time', async () => {
    const holders = sides.map((side) => side.start(['lock', 'mutex']));
    for (const holder of holders) await holder.lines(1);
    const next = sides.map((side) => side.start(['lock', 'mutex', 'echo', 'mine']));
    await same('get start');
    for (const holder of holders) holder.interrupt();
    const ends = await Promise.all(next.map((waiting) => waiting.ended()));
    expect(ends[1]).toEqual(ends[0]);
    expect(ends[0]?.stdout).toBe('mine\n');
  });
});

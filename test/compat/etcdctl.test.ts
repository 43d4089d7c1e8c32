import { findForeign } from '../support/foreign';
import { EtcdctlPair } from './etcdctl-pair';
import { scripts, watches } from './etcdctl-scripts';

const server = findForeign('server', 'etcdctl against etcd and quorate');
const client = findForeign('client', 'etcdctl against etcd and quorate');

('missing' in server || 'missing' in client ? describe.skip : describe)('etcdctl', () => {
  let pair: EtcdctlPair;

  beforeAll(async () => {
    pair = await EtcdctlPair.start('path' in server ? server.path : '', 'path' in client ? client.path : '');
  }, 60_000);
  afterAll(() => pair.stop());

  it.each(scripts)('%s says the same as against etcd', async (_, lines) => {
    for (const line of lines) await pair.same(line);
  });

  it.each(watches)('%s tells the same as against etcd', async (line, lines) => {
    // The same before each, whichever ran before it.
    for (const change of ['del w/ --prefix', 'put w/1 before']) await pair.same(change);
    const { stdout } = await pair.same('put start here -w json');
    const start = Number(/"revision":(\d+)/.exec(stdout)?.[1]);
    for (const change of ['put w/1 x', 'put w/2 y', 'del w/1']) await pair.same(change);
    await pair.sameInBackground(line.replace('$START', String(start)), lines, async () => {
      await pair.same('put w/1 z');
    });
  });

  it('check datascale reads the memory of the members', async () => {
    const [, quorate] = pair.sides;
    const { code, stdout } = await quorate.run(['check', 'datascale', '--load=s']);
    expect(stdout).toMatch(/PASS: Approximate system memory used : SIZE/);
    expect(code).toBe(0);
  }, 120_000);

  it('elect lets one lead and tells who', async () => {
    const leaders = pair.sides.map((side) => side.start(['elect', 'election', 'first']));
    for (const leader of leaders) await leader.lines(2);
    await pair.sameInBackground('elect -l election', 2, () => Promise.resolve());
    for (const leader of leaders) leader.interrupt();
    const [ofEtcd, ofQuorate] = await Promise.all(leaders.map((leader) => leader.ended()));
    expect(ofQuorate).toEqual(ofEtcd);
    expect(ofEtcd?.stdout).toMatch(/^election\/ID\nfirst\n/);
  });

  it('lock is held by one at a time', async () => {
    const holders = pair.sides.map((side) => side.start(['lock', 'mutex']));
    for (const holder of holders) await holder.lines(1);
    const next = pair.sides.map((side) => side.start(['lock', 'mutex', 'echo', 'mine']));
    await pair.same('get start');
    for (const holder of holders) holder.interrupt();
    const ends = await Promise.all(next.map((waiting) => waiting.ended()));
    expect(ends[1]).toEqual(ends[0]);
    expect(ends[0]?.stdout).toBe('mine\n');
  });
});

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Ended, Etcdctl } from '../support/etcdctl';
import { findForeign, type Seat, seatsFor } from '../support/foreign';
import { eventually, type ProcessMember } from '../support/process-cluster';
import { EtcdctlPair } from './etcdctl-pair';

const server = findForeign('server', 'etcdctl on members of etcd and quorate');
const client = findForeign('client', 'etcdctl on members of etcd and quorate');

('missing' in server || 'missing' in client ? describe.skip : describe)('etcdctl on a cluster', () => {
  const directory = mkdtempSync(join(tmpdir(), 'quorate-etcdctl-'));
  let pair: EtcdctlPair;
  /** Where the fourth member will be, of etcd and of quorate. */
  let seat: Seat;
  let newcomer: ProcessMember;

  beforeAll(async () => {
    pair = await EtcdctlPair.start('path' in server ? server.path : '', 'path' in client ? client.path : '');
    seat = (await seatsFor(1))[0] ?? { name: '', client: '', peer: '' };
    newcomer = await pair.quorate.newcomer('later');
    const [etcd, quorate] = pair.sides;
    give('PEER', seat.peer, `http://${newcomer.peerAddress}`);
    give('LEARNER', seat.client, newcomer.clientAddress);
    give('FIRST', etcd.endpoints[0], quorate.endpoints[0]);
    give('FILE', join(directory, 'etcd'), join(directory, 'quorate'));
  }, 60_000);
  afterAll(async () => {
    await pair.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  function give(name: string, ofEtcd = '', ofQuorate = ''): void {
    pair.sides[0].give(name, ofEtcd);
    pair.sides[1].give(name, ofQuorate);
  }

  /** Runs a command on both until it succeeds; then both have said the same. */
  async function sameInTheEnd(line: string): Promise<void> {
    const untilGood = (side: Etcdctl): Promise<Ended> =>
      eventually(30_000, line, async () => {
        const ended = await side.run(line.split(' '));
        return ended.code === 0 ? ended : undefined;
      });
    const [ofEtcd, ofQuorate] = await Promise.all(pair.sides.map(untilGood));
    expect({ line, ...ofQuorate }).toEqual({ line, ...ofEtcd });
  }

  /** Which members there are, once the member that is asked has heard of it. */
  async function sameMembers(): Promise<void> {
    const list = async (side: Etcdctl): Promise<string> => {
      const { stdout } = await side.run(['member', 'list']);
      return stdout.split('\n').sort().join('\n');
    };
    const equal = eventually(20_000, 'the same members', async () => {
      const [ofEtcd, ofQuorate] = await Promise.all(pair.sides.map(list));
      return ofEtcd === ofQuorate ? true : undefined;
    });
    await equal.catch(() => pair.same('member list'));
  }

  async function all(lines: readonly string[]): Promise<void> {
    for (const line of lines) await pair.same(line);
  }

  it('member says what is wrong as against etcd', () =>
    all([
      ...['member add', 'member add m4', 'member add m4 --peer-urls=nonsense', 'member remove', 'member promote'],
      ...['member update', 'member remove 1234abcd', 'member promote 1234abcd', 'member list'],
      ...['member update 1234abcd', 'member update 1234abcd --peer-urls=http://127.0.0.1:1'],
    ]));

  it('member list is in the order of ids', async () => {
    for (const side of pair.sides) {
      const list = side.start(['member', 'list']);
      await list.ended();
      const ids = [...list.printed.matchAll(/^[0-9a-f]+/gm)].map(([id]) => id.padStart(16, '0'));
      expect(ids).toHaveLength(3);
      expect(ids).toEqual([...ids].sort());
    }
  });

  it('a learner is added, moved, started, promoted and removed as in etcd', async () => {
    // etcd takes no member as long as it has not been in contact with all for some seconds.
    await sameInTheEnd('member add m4 --peer-urls=$PEER --learner');
    await sameMembers();
    await all([
      ...['member promote $MEMBER', 'member update $MEMBER --peer-urls=http://127.0.0.1:1', 'member remove $MEMBER'],
      'member remove $MEMBER',
    ]);
    // A learner that was moved is a learner no more to etcd 3.4. And its ids are made of the second and the URL.
    await sameInTheEnd('member add m4 --peer-urls=$PEER --learner');
    await sameMembers();
    const [ofEtcd, ofQuorate] = pair.sides.map((side) => side.given('MEMBER'));
    pair.etcd.join({ ...seat, name: ofEtcd ?? '' });
    const learner = { ...newcomer, name: ofQuorate ?? '' };
    pair.quorate.members.splice(pair.quorate.members.indexOf(newcomer), 1, learner);
    pair.quorate.startMember(learner);
    await sameInTheEnd('--endpoints=$LEARNER get a --consistency=s');
    await sameMembers();
    await all(['member add m5 --peer-urls=$PEER --learner', '--endpoints=$LEARNER put a 1']);
    await sameInTheEnd('member promote $MEMBER');
    await sameMembers();
    await sameInTheEnd('--endpoints=$LEARNER put a 2');
    await pair.same('member promote $MEMBER');
    await sameInTheEnd('member remove $MEMBER');
    await sameMembers();
    await all(['member remove $MEMBER', 'get a']);
  });

  it('move-leader moves the leader as in etcd', async () => {
    for (const [at, side] of pair.sides.entries()) {
      const status = side.start(['endpoint', 'status', '-w', 'fields'], '');
      await status.ended();
      const ids = (name: string): string[] =>
        [...status.printed.matchAll(new RegExp(`"${name}" : (\\d+)`, 'g'))].map(([, id = '']) =>
          BigInt(id).toString(16),
        );
      const [leader] = ids('Leader');
      const follower = ids('MemberID').find((id) => id !== leader);
      pair.sides[at]?.give('LEADER', leader ?? '');
      pair.sides[at]?.give('FOLLOWER', follower ?? '');
    }
    await all(['move-leader', 'move-leader 1234abcd', 'move-leader $FOLLOWER']);
    await sameInTheEnd('move-leader $LEADER');
  });

  it('snapshot save saves what each of them has', async () => {
    await pair.same('put saved 1');
    await all(['snapshot save $FILE', '--endpoints=$FIRST snapshot save', '--endpoints=$FIRST snapshot save $FILE']);
    expect(readFileSync(join(directory, 'quorate')).toString('latin1')).toMatch(/^SQLite format 3\0/);
  });

  it('make-mirror copies from etcd to quorate and back', async () => {
    const [ofEtcd, ofQuorate] = pair.sides;
    const put = (side: Etcdctl, key: string): Promise<Ended> => side.run(['put', key, `value of ${key}`]);
    for (let at = 0; at < 5; at++) await Promise.all([put(ofEtcd, `mirror/a/${at}`), put(ofQuorate, `mirror/b/${at}`)]);
    const mirrors = [
      ofEtcd.start(['make-mirror', '--prefix=mirror/a/', ofQuorate.endpoints[0] ?? '']),
      ofQuorate.start(['make-mirror', '--prefix=mirror/b/', ofEtcd.endpoints[0] ?? '']),
    ];
    const arrived = (side: Etcdctl, key: string): Promise<true> =>
      eventually(20_000, key, async () => ((await side.run(['get', key])).stdout === '' ? undefined : true));
    await Promise.all([arrived(ofQuorate, 'mirror/a/4'), arrived(ofEtcd, 'mirror/b/4')]);
    await Promise.all([ofEtcd.run(['del', 'mirror/a/2']), ofQuorate.run(['del', 'mirror/b/2'])]);
    await Promise.all([put(ofEtcd, 'mirror/a/last'), put(ofQuorate, 'mirror/b/last')]);
    await Promise.all([arrived(ofQuorate, 'mirror/a/last'), arrived(ofEtcd, 'mirror/b/last')]);
    const { stdout } = await pair.same('get mirror/ --prefix --keys-only');
    expect(stdout.split('\n').filter((line) => line !== '')).toHaveLength(10);
    for (const mirror of mirrors) mirror.interrupt();
    await Promise.all(mirrors.map((mirror) => mirror.ended()));
  });
});

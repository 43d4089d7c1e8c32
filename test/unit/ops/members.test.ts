/** Who the first members are, and their ids. */
import { createHash } from 'node:crypto';
import { clusterIdOf, memberIdOf } from '../../../src/ops/identity';
import { initialClusterOf } from '../../../src/ops/members';
import { readOptions } from '../../../src/ops/read-options';

const cluster = (flags: Record<string, string>) =>
  initialClusterOf(readOptions({ flags: { name: 'm1', ...flags }, env: {}, configFile: undefined }));

describe('ids', () => {
  it('are the first 8 bytes of a SHA-256, so every member works them out alike', () => {
    const digest = createHash('sha256').update('quorate-member\0prod\0m1').digest();
    expect(memberIdOf('prod', 'm1')).toBe(digest.readBigUInt64BE(0));
    expect(memberIdOf('quorate', 'm1')).toBe(5602041031240612015n);
  });

  it('of a cluster do not depend on the order of the names', () => {
    expect(clusterIdOf('c', ['b', 'a'])).toBe(clusterIdOf('c', ['a', 'b']));
    expect(clusterIdOf('c', ['a', 'b'])).not.toBe(clusterIdOf('d', ['a', 'b']));
    expect(clusterIdOf('c', ['a', 'b'])).not.toBe(clusterIdOf('c', ['a', 'b', 'c']));
  });
});

describe('initial members', () => {
  it('are this member alone when nothing is said', () => {
    const { self, members } = cluster({});
    expect(members).toEqual([self]);
    expect(self).toMatchObject({ name: 'm1', peerAddress: '127.0.0.1:2380', clientAddress: '127.0.0.1:2379' });
  });

  it('take their addresses from the list', () => {
    const { members, self } = cluster({ 'initial-members': 'm2=b:1/b:2,m1=a:1/a:2' });
    expect(members.map(({ name }) => name)).toEqual(['m1', 'm2']);
    expect(self).toMatchObject({ peerAddress: 'a:1', clientAddress: 'a:2' });
  });

  it('take their addresses from the templates when only named', () => {
    const { members } = cluster({
      name: 'q-1',
      'initial-members': 'q-0,q-1,q-2',
      'peer-address-template': '{name}.peers:2380',
      'client-address-template': '{name}.peers:2379',
    });
    expect(members.map(({ peerAddress }) => peerAddress)).toEqual([
      'q-0.peers:2380',
      'q-1.peers:2380',
      'q-2.peers:2380',
    ]);
    expect(members.map(({ clientAddress }) => clientAddress)[2]).toBe('q-2.peers:2379');
  });

  it.each([
    [{ 'initial-members': 'm2=b:1/b:2' }, /--name is m1, which is not among the initial members m2/],
    [{ 'initial-members': 'm1,m2' }, /gives m1 no address, and there is no --peer-address-template/],
    [{ 'initial-members': 'm1=a:1/a:2,m1=b:1/b:2' }, /two members with the name m1/],
    [{ 'initial-members': 'm1=a:1/a:2,m2=a:1/b:2' }, /two members with the peerAddress a:1/],
  ])('are refused when they contradict each other: %j', (flags, message) => {
    expect(() => cluster(flags)).toThrow(message);
  });
});

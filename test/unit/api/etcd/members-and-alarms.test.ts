import { alarmTexts } from '../../../../src/api/etcd/alarms';
import { etcdVersion, refuseDowngrade } from '../../../../src/api/etcd/downgrade';
import { addressOf, memberMessage, unstartedName } from '../../../../src/api/etcd/member-messages';

const member = { id: 2n ** 63n, name: 'm1', peerAddress: 'a:2380', clientAddress: 'a:2379', awaitsStart: false };

const plain = { peers: false, clients: false };

describe('members as etcd has them', () => {
  it('are reached at URLs', () => {
    expect(memberMessage({ ...member, standing: 'voter' }, plain)).toEqual({
      ID: 2n ** 63n,
      name: 'm1',
      peerURLs: ['http://a:2380'],
      clientURLs: ['http://a:2379'],
      isLearner: false,
    });
  });

  it('are reached at URLs that say who uses TLS', () => {
    const voter = { ...member, standing: 'voter' } as const;
    const urls = { peerURLs: ['http://a:2380'], clientURLs: ['https://a:2379'] };
    expect(memberMessage(voter, { peers: false, clients: true })).toMatchObject(urls);
    expect(memberMessage(voter, { peers: true, clients: false }).peerURLs).toEqual(['https://a:2380']);
  });

  it('have neither name nor client URL before they start', () => {
    const message = memberMessage({ ...member, standing: 'learner', awaitsStart: true }, plain);
    expect(message).toMatchObject({ name: '', peerURLs: ['http://a:2380'], clientURLs: [], isLearner: true });
  });

  it('are named by their id until somebody names them', () => {
    expect(unstartedName(0xabcn)).toBe('abc');
  });

  it.each([
    [['http://a:2380'], 'a:2380'],
    [['https://[::1]:2380'], '[::1]:2380'],
  ])('%j is an address', (urls, address) => {
    expect(addressOf(urls)).toBe(address);
  });

  it.each([[[]], [['a:2380']], [['http://a']], [['http://a:2380/x']], [['unix:/a']], [['http://a:1', 'http://b:1']]])(
    '%j is none',
    (urls) => {
      expect(() => addressOf(urls)).toThrow('etcdserver: given member URLs are invalid');
    },
  );
});

describe('alarms in a status', () => {
  it('read as etcd prints them', () => {
    expect(
      alarmTexts([
        { alarm: 'no-space', memberId: 17n },
        { alarm: 'corrupt', memberId: 0n },
      ]),
    ).toEqual(['memberID:17 alarm:NOSPACE ', 'alarm:CORRUPT ']);
  });
});

describe('a downgrade', () => {
  it.each([
    ['x', 'etcdserver: wrong downgrade target version format'],
    ['3.3', 'etcdserver: invalid downgrade target version'],
    ['3.5.0', 'etcdserver: invalid downgrade target version'],
    ['3.4', 'etcdserver: not capable'],
    ['3.4.0', 'etcdserver: not capable'],
  ])('to %s is refused', (version, text) => {
    for (const action of [0, 1] as const) expect(() => refuseDowngrade({ action, version })).toThrow(text);
  });

  it('is never under way', () => {
    expect(() => refuseDowngrade({ action: 2, version: '' })).toThrow('etcdserver: no inflight downgrade job');
  });

  it('would be from a version that is plain numbers, which programs split at the dots', () => {
    expect(etcdVersion).toMatch(/^3\.5\.\d+$/);
  });
});

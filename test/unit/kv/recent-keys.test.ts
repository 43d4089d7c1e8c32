/** What is held of the keys that were asked for lately, and how many at most. */
import { RecentKeys } from '../../../src/kv/recent-keys';

const maxKeys = 65_536;

describe('RecentKeys', () => {
  it('holds what it was given last, until that is deleted', () => {
    const recent = new RecentKeys<number>();
    recent.set('a', 1);
    recent.set('a', 2);
    expect(recent.get('a')).toBe(2);
    recent.delete('a');
    expect(recent.get('a')).toBeUndefined();
  });

  it('holds a bounded number of keys, and lets all go when one more comes', () => {
    const recent = new RecentKeys<number>();
    for (let key = 0; key < maxKeys; key++) recent.set(String(key), key);
    expect([recent.get('0'), recent.get(String(maxKeys - 1))]).toEqual([0, maxKeys - 1]);
    recent.set('more', -1);
    expect([recent.get('0'), recent.get(String(maxKeys - 1)), recent.get('more')]).toEqual([undefined, undefined, -1]);
  });
});

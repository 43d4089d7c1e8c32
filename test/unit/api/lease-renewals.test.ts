import { QuorateError } from '../../../src/base/error';
import { grantedTtl, LeaseRenewals } from '../../../src/api/lease-renewals';
import { answerGraceMs } from '../../../src/kv/lessor';
import type { LeaseResult } from '../../../src/kv/result';
import { FakeProposer } from '../../support/store-tasks';
import { VirtualTime } from '../../support/virtual-time';

const ttl = 5;
const deadline = 20_000;

/** Leases 1 to 99 are there. @param takesMs what a proposal takes */
function bench(takesMs = 0) {
  const time = new VirtualTime();
  const log = new FakeProposer();
  log.answer = (command) => {
    const ids = command.kind === 'lease-renew' ? command.ids.filter((id) => id < 100n) : [];
    return { kind: 'lease', revision: 7, leases: ids.map((id) => ({ id, ttl })) };
  };
  const renewals = new LeaseRenewals({
    scheduler: time,
    proposer: {
      propose: async (bytes) => {
        const result = await log.propose(bytes);
        await new Promise<void>((resolve) => void time.after(takesMs, resolve));
        return result;
      },
    },
  });
  return { time, log, renewals };
}

describe('LeaseRenewals', () => {
  it('renew the leases of one call in as many commands as it takes, and tell of each', async () => {
    const { time, log, renewals } = bench();
    const ids = Array.from({ length: 2500 }, (_, at) => BigInt(2500 - at));
    const answers = renewals.renewAll(ids, { deadline });
    await time.pass(1);
    const renewed = await answers;
    expect(log.take().map((command) => command.kind === 'lease-renew' && command.ids.length)).toEqual([
      1000, 1000, 500,
    ]);
    expect(renewed.map(({ ttl: told }) => told)).toEqual(ids.map((id) => (id < 100n ? ttl : undefined)));
  });

  it('renew in one command what arrives in one turn', async () => {
    const { time, log, renewals } = bench();
    const answers = Promise.all([1n, 2n, 1n].map((id) => renewals.renew(id, { deadline })));
    await time.pass(1);
    expect(await answers).toEqual(Array.from({ length: 3 }, () => ({ ttl, revision: 7 })));
    expect(log.take()).toEqual([{ kind: 'lease-renew', ids: [1n, 2n] }]);
    const later = renewals.renew(1n, { deadline });
    await time.pass(1);
    await later;
    expect(log.take()).toEqual([{ kind: 'lease-renew', ids: [1n] }]);
  });

  it('send no more than a few commands of a bounded size at a time, and the others after them', async () => {
    const { time, log, renewals } = bench(10);
    const ids = Array.from({ length: 5500 }, (_, at) => BigInt(at + 1));
    const answers = Promise.all(ids.map((id) => renewals.renew(id, { deadline })));
    const sizes = () => log.take().map((command) => (command.kind === 'lease-renew' ? command.ids.length : 0));
    await time.pass(5);
    expect(sizes()).toEqual([1000, 1000, 1000, 1000]);
    await time.pass(10);
    expect(sizes()).toEqual([1000, 500]);
    await time.pass(20);
    expect((await answers).length).toBe(5500);
  });

  it('tell that a lease is not there (E4)', async () => {
    const { time, renewals } = bench();
    const answer = renewals.renew(100n, { deadline });
    await time.pass(1);
    expect(await answer).toEqual({ ttl: undefined, revision: 7 });
  });

  it('promise less when the answer is late', async () => {
    const { time, renewals } = bench(answerGraceMs + 1500);
    const answer = renewals.renew(1n, { deadline });
    await time.pass(5000);
    expect(await answer).toEqual({ ttl: ttl - 2, revision: 7 });
  });

  it('renew once again when nothing can be promised, and say so in the end', async () => {
    const { time, log, renewals } = bench(ttl * 1000 + answerGraceMs);
    const answer = expect(renewals.renew(1n, { deadline: 11_000 })).rejects.toMatchObject({ code: 'outcome-unknown' });
    await time.pass(30_000);
    await answer;
    expect(log.take().length).toBe(2);
  });

  it('pass on why a command failed', async () => {
    const { time, log, renewals } = bench();
    log.answer = () => new QuorateError('no-leader', 'nobody leads');
    const answer = expect(renewals.renew(1n, { deadline })).rejects.toMatchObject({ code: 'no-leader' });
    await time.pass(1);
    await answer;
  });
});

describe('grantedTtl', () => {
  const granted: LeaseResult = { kind: 'lease', revision: 7, leases: [{ id: 1n, ttl }] };

  it('is what was granted, less what the answer was late', () => {
    expect(grantedTtl(granted, answerGraceMs)).toBe(ttl);
    expect(grantedTtl(granted, answerGraceMs + 1)).toBe(ttl - 1);
  });

  it('is no promise at all when the lease may be over', () => {
    expect(() => grantedTtl(granted, answerGraceMs + ttl * 1000)).toThrow('later than the time to live');
  });
});

/** Locks and elections, as the client makes them of leases, transactions and watches. */
'use strict';

const { say, sayEnd, until } = require('../session.cjs');

async function locks(etcd) {
  const [one, other] = [etcd.lock('mutex').ttl(20), etcd.lock('mutex').ttl(20)];
  await one.acquire();
  say('held', (await etcd.get('mutex').exec()).kvs.length);
  await sayEnd('held by another', other.acquire());
  await one.release();
  await other.acquire();
  await other.release();
  say('free', await etcd.get('mutex'));
  say('within', await etcd.lock('mutex').do(() => etcd.get('mutex')));
  const failing = etcd.lock('mutex').do(() => {
    throw new RangeError('of the program itself');
  });
  await sayEnd('error within', failing);
  let running = 0;
  let most = 0;
  const critical = async () => {
    most = Math.max(most, ++running);
    await etcd.put('critical').value('x');
    running--;
  };
  const tryOnce = () =>
    etcd
      .lock('busy')
      .do(critical)
      .then(
        () => true,
        () => false,
      );
  await Promise.all(Array.from({ length: 5 }, () => until('the lock', tryOnce)));
  say('at most', most);
  await etcd.delete().all();
}

async function elections(etcd) {
  const election = etcd.election('chair', 20);
  say('no leader', await election.leader());
  const seen = [];
  const observer = await election.observe();
  observer.on('change', (leader) => seen.push(leader ?? null));
  const first = election.campaign('first');
  await first.wait();
  say('leads', await election.leader());
  await until('first seen', () => seen.at(-1) === 'first');
  let isSecondElected = false;
  const second = election.campaign('second');
  second.on('elected', () => (isSecondElected = true));
  await until('second waits', async () => (await etcd.getAll().prefix('election/chair/').count()) === 2);
  await first.proclaim('first, renamed');
  await until('proclaimed', () => seen.at(-1) === 'first, renamed');
  say('second waits', !isSecondElected);
  await first.resign();
  await until('second elected', () => isSecondElected && seen.at(-1) === 'second');
  say('then leads', await election.leader());
  await sayEnd('proclaimed after the end', first.proclaim('too late'));
  await second.resign();
  await until('nobody left', async () => (await election.leader()) === undefined);
  await until('end seen', () => seen.at(-1) === null);
  say('seen', seen);
  await observer.cancel();
  await etcd.delete().all();
}

module.exports = { locks, elections };

/** The leader dies while the program writes, watches, and keeps a lease, a lock and an office. */
'use strict';

const { count, say, persist, until } = require('../session.cjs');

async function failover(etcd) {
  const { revision } = (await etcd.put('start').value('x')).header;
  const seen = new Map();
  const order = [];
  const watcher = etcd.watch().prefix('f/').startRevision(revision).watcher();
  watcher.on('put', ({ key, mod_revision }) => {
    order.push(Number(mod_revision));
    seen.set(key.toString(), true);
  });
  const lease = etcd.lease(30);
  await lease.put('kept').value('by a lease');
  const lock = await etcd.lock('held').acquire();
  const campaign = await etcd.election('office', 30).campaign('in office').wait();

  console.log('the leader may die');
  for (let at = 0; at < count; at++) {
    await persist(() => etcd.put(`f/${at}`).value(at).exec());
    await persist(() => addOne(etcd, at));
  }
  await until('every write is seen', () => seen.size === count);
  say('written', await persist(() => etcd.getAll().prefix('f/').count()));
  say('seen', seen.size);
  say(
    'in order',
    order.every((at, index) => index === 0 || at > order[index - 1]),
  );
  say('sum', await persist(() => etcd.get('sum').number()));
  say('lease', [await persist(() => etcd.get('kept').string()), lease.revoked()]);
  const taken = await persist(() =>
    etcd
      .lock('held')
      .acquire()
      .then(() => 'taken', nameOf),
  );
  say('lock', taken);
  say('office', await persist(() => etcd.election('office').leader()));
  await persist(() => campaign.resign());
  await persist(() => lock.release());
  await persist(() => lease.revoke());
  say('left', await persist(() => etcd.getAll().keys()).then((keys) => keys.filter((key) => !key.startsWith('f/'))));
}

/** Adds one for each number, once, although an answer may be lost: what was added last is kept beside the sum. */
async function addOne(etcd, at) {
  await etcd.stm({ retries: 10 }).transact(async (tx) => {
    if ((await tx.get('added').number()) === at) return;
    await tx.put('sum').value(((await tx.get('sum').number()) ?? 0) + 1);
    await tx.put('added').value(at);
  });
}

function nameOf(error) {
  if (error.constructor.name === 'EtcdLockFailedError') return error.constructor.name;
  throw error;
}

module.exports = { failover };

/** Transactions as etcd takes them, and the client's software transactional memory on top of them. */
'use strict';

const { say, sayEnd } = require('../session.cjs');
const { bare } = require('./keys.cjs');

/** The kinds of isolation by their numbers, which the client declares as a constant enum only. */
const isolations = ['SerializableSnapshot', 'Serializable', 'RepeatableReads', 'ReadCommitted'];

function answer({ succeeded, responses, header }) {
  const operations = responses.map((response) => {
    const { kvs, prev_kv, prev_kvs, count, more, deleted } = response[response.response];
    return {
      kind: response.response,
      ...{ count, more, deleted },
      kvs: kvs?.map(bare),
      before: prev_kvs?.map(bare) ?? (prev_kv ? bare(prev_kv) : undefined),
    };
  });
  return { succeeded, revision: header.revision, operations };
}

async function transactions(etcd) {
  const first = etcd.if('t', 'Create', '==', 0).then(etcd.put('t').value('1')).else(etcd.get('t'));
  say('create', answer(await first.commit()));
  say('create again', answer(await first.commit()));
  const many = etcd
    .if('t', 'Value', '==', '1')
    .and('t', 'Version', '<', 2)
    .and('t', 'Mod', '>', 1)
    .and('t', 'Lease', '==', 0)
    .and('nothing', 'Create', '!=', 1)
    .then(etcd.put('t').value('2'), etcd.put('u').value('3'), etcd.getAll().prefix('t'), etcd.delete().key('v'))
    .else(etcd.get('t'));
  say('all compares', answer(await many.commit()));
  say('none holds now', answer(await many.commit()));
  say('nothing to do', answer(await etcd.if('t', 'Version', '==', 2).commit()));
  const twice = etcd.if('t', 'Version', '>', 0).then(etcd.put('t').value('x'), etcd.put('t').value('y'));
  await sayEnd('a key twice', twice.commit());
  const nested = await etcd.kv.txn({
    success: [
      { request_put: { key: Buffer.from('n'), value: Buffer.from('1') } },
      { request_txn: { success: [{ request_range: { key: Buffer.from('n') } }] } },
    ],
  });
  say('nested', [nested.succeeded, nested.responses[1].response_txn.responses[0].response_range.kvs.map(bare)]);
  await etcd.delete().all();
}

/** A transaction that another write gets in the way of, so many times. */
async function disturbed(etcd, isolation, disturbances) {
  await etcd.put('from').value(10);
  await etcd.put('to').value(0);
  let attempts = 0;
  const moved = etcd.stm({ isolation, retries: 2 }).transact(async (tx) => {
    const from = await tx.get('from').number();
    if (attempts++ < disturbances) await etcd.put('from').value(from + 1);
    const to = await tx.get('to').number();
    await tx.put('from').value(from - 1);
    await tx.put('to').value(to + 1);
    return from;
  });
  const end = await moved.catch((error) => error.constructor.name);
  return { attempts, end, from: await etcd.get('from').number(), to: await etcd.get('to').number() };
}

async function softwareTransactions(etcd) {
  for (const [isolation, name] of isolations.entries()) {
    say(name, await disturbed(etcd, isolation, 0));
    say(`${name}, disturbed`, await disturbed(etcd, isolation, 1));
    say(`${name}, disturbed for ever`, await disturbed(etcd, isolation, 9));
  }
  say(
    'in turns',
    await Promise.all(Array.from({ length: 5 }, () => increment(etcd))).then(() => etcd.get('counter').number()),
  );
  await etcd.delete().all();
}

function increment(etcd) {
  return etcd.stm({ retries: 50 }).transact(async (tx) => {
    await tx.put('counter').value(((await tx.get('counter').number()) ?? 0) + 1);
  });
}

module.exports = { transactions, softwareTransactions };

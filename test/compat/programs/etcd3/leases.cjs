/** Leases: kept alive by hand and by itself, revoked, lost and run out. */
'use strict';

const { say, sayEnd, until } = require('../session.cjs');

/** Seconds; the shortest that etcd grants. */
const shortest = 2;

async function leases(etcd) {
  const lease = etcd.lease(100, { autoKeepAlive: false });
  await lease.put('l/1').value('x');
  await lease.put('l/2').value('y');
  const id = await lease.grant();
  say('attached', await Promise.all(['l/1', 'l/2'].map((key) => isOf(etcd, key, id))));
  say('once', (await lease.keepaliveOnce()).TTL);
  const { grantedTTL, keys } = await etcd.leaseClient.leaseTimeToLive({ ID: id, keys: true });
  say('time to live', [grantedTTL, keys.map(String).sort()]);
  say('listed', (await etcd.leaseClient.leaseLeases()).leases.filter(({ ID }) => ID === id).length);
  await etcd.put('l/1').value('z').ignoreLease();
  say('lease kept', await isOf(etcd, 'l/1', id));
  await etcd.put('l/2').value('free');
  await lease.revoke();
  say('revoked', [lease.revoked(), await etcd.getAll().prefix('l/').strings()]);
  await sayEnd('put to a revoked one', lease.put('l/3').value('x').exec());
  await sayEnd('time to live of a revoked one', ttlOf(etcd, id));
  await sayEnd('id taken', twice(etcd));
  await lost(etcd);
  await runningOut(etcd);
  await keptAlive(etcd);
  await etcd.delete().all();
}

async function isOf(etcd, key, id) {
  const { kvs } = await etcd.get(key).exec();
  return kvs[0].lease === id;
}

async function ttlOf(etcd, ID) {
  return (await etcd.leaseClient.leaseTimeToLive({ ID })).TTL;
}

async function twice(etcd) {
  await etcd.leaseClient.leaseGrant({ ID: '4711', TTL: 100 });
  await etcd.leaseClient
    .leaseGrant({ ID: '4711', TTL: 100 })
    .finally(() => etcd.leaseClient.leaseRevoke({ ID: '4711' }));
}

/** Revoked by somebody else. */
async function lost(etcd) {
  const lease = etcd.lease(100, { autoKeepAlive: false });
  const losses = [];
  lease.on('lost', (error) => losses.push(error.constructor.name));
  await etcd.leaseClient.leaseRevoke({ ID: await lease.grant() });
  await sayEnd(
    'renewal of a lost one',
    lease.keepaliveOnce().catch((error) => error.constructor.name),
  );
  say('lost', losses);
}

async function runningOut(etcd) {
  const lease = etcd.lease(shortest, { autoKeepAlive: false });
  await lease.put('l/short').value('x');
  const gone = [];
  const watcher = await etcd.watch().key('l/short').withPreviousKV().create();
  watcher.on('delete', (kv, before) => gone.push([kv.key, before.value]));
  await until('the lease has run out', () => gone.length > 0);
  say('ran out', [gone, await etcd.get('l/short'), await ttlOf(etcd, await lease.grant())]);
  await watcher.cancel();
}

async function keptAlive(etcd) {
  const lease = etcd.lease(shortest);
  await lease.put('l/long').value('x');
  let renewals = 0;
  lease.on('keepaliveSucceeded', () => renewals++);
  // At a third of its time each: twice its time goes by.
  await until('it was renewed', () => renewals >= 7);
  say('kept alive', await etcd.get('l/long'));
  await lease.revoke();
}

module.exports = { leases };

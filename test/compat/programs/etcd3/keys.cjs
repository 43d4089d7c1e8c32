/** Puts, ranges and deletes with every option that the client has. */
'use strict';

const { Range } = require('etcd3');
const { say, sayEnd } = require('../session.cjs');

const bare = ({ key, value, create_revision, mod_revision, version, lease }) => ({
  ...{ key, value, create_revision, mod_revision, version },
  leased: lease !== '0',
});

async function keys(etcd) {
  say('put', (await etcd.put('k/1').value('one')).header.revision);
  say('put number', (await etcd.put('k/2').value(2)).header.revision);
  say('put bytes', (await etcd.put('k/3').value(Buffer.from([0, 255, 128]))).header.revision);
  say('put JSON', (await etcd.put('k/4').value('{"deep": [1, 2]}')).header.revision);
  say('previous', bare(await etcd.put('k/1').value('uno').getPrevious()));
  say('touch', (await etcd.put('k/1').touch()).header.revision);
  say('string', await etcd.get('k/1').string());
  say('number', await etcd.get('k/2').number());
  say('bytes', await etcd.get('k/3').buffer());
  say('json', await etcd.get('k/4').json());
  say('exists', [await etcd.get('k/1').exists(), await etcd.get('k/none').exists(), await etcd.get('k/none')]);
  say('whole', (await etcd.get('k/1').exec()).kvs.map(bare));
  say('serializable', typeof (await etcd.get('k/1').serializable(true)));
  const some = () => etcd.getAll().prefix('k/');
  say('prefix', await some().strings());
  say('keys', await some().keys());
  say('count', await some().count());
  say('limit', await some().limit(2).keys());
  for (const by of ['Key', 'Version', 'Create', 'Mod', 'Value']) {
    say(`descending by ${by}`, await some().sort(by, 'Descend').keys());
  }
  say('range', await etcd.getAll().inRange({ start: 'k/2', end: 'k/4' }).keys());
  say('from', await etcd.getAll().inRange(new Range('k/3')).keys());
  say('bounds', await some().minModRevision(4).maxModRevision(5).keys());
  say('bounds of creation', await some().minCreateRevision(3).maxCreateRevision(4).keys());
  say('whole range', (await some().limit(1).exec()).more);
  await namespaced(etcd);
  say('delete', (await etcd.delete().key('k/1')).deleted);
  say('delete again', (await etcd.delete().key('k/1')).deleted);
  say('delete range', (await etcd.delete().inRange({ start: 'k/2', end: 'k/4' }).getPrevious()).map(bare));
  say('left', await etcd.getAll().all().keys());
  say('delete all', (await etcd.delete().all()).deleted);
  say('nothing left', await etcd.getAll().all().count());
}

async function namespaced(etcd) {
  const inner = etcd.namespace('inner/');
  await inner.put('x').value('y');
  say('namespace', [await inner.getAll().strings(), await etcd.get('inner/x')]);
  say('namespace deleted', (await inner.delete().all()).deleted);
}

async function oldRevisions(etcd) {
  const revisions = [];
  for (const value of ['a', 'b', 'c']) revisions.push((await etcd.put('old').value(value)).header.revision);
  await etcd.delete().key('old');
  for (const revision of revisions) say(`at ${revision}`, await etcd.get('old').revision(revision));
  say('now', await etcd.get('old'));
  await etcd.kv.compact({ revision: revisions[1] });
  await sayEnd('compacted', etcd.get('old').revision(revisions[0]).string());
  await sayEnd('compacted at it', etcd.get('old').revision(revisions[1]).string());
}

async function errors(etcd) {
  await sayEnd('future', etcd.get('old').revision(1_000_000).string());
  await sayEnd('empty key', etcd.put('').value('x').exec());
  await sayEnd('no lease', etcd.put('k').value('x').lease('123456').exec());
  await sayEnd('touch of nothing', etcd.put('never there').touch());
  await sayEnd('compact ahead', etcd.kv.compact({ revision: 1_000_000 }));
  await sayEnd('compact again', etcd.kv.compact({ revision: 1 }));
  await sayEnd('revoke', etcd.leaseClient.leaseRevoke({ ID: '123456' }));
  await sayEnd('no roles', etcd.getRoles());
  await sayEnd('no users', etcd.user('nobody').roles());
}

module.exports = { keys, oldRevisions, errors, bare };

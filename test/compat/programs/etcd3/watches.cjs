/** Watches: of a key, a prefix and a range, from the past, filtered, with what was before, and their ends. */
'use strict';

const { Etcd3 } = require('etcd3');
const { endpoints, say, until } = require('../session.cjs');

/** Notes what a watcher is told. */
function follow(watcher) {
  const told = [];
  const text = ({ key, value, mod_revision, version }) => `${key}=${value} at ${mod_revision}, version ${version}`;
  watcher.on('put', (kv, before) => told.push(`put ${text(kv)}${before?.key.length ? `, was ${text(before)}` : ''}`));
  watcher.on('delete', (kv, before) =>
    told.push(`delete ${text(kv)}${before?.key.length ? `, was ${text(before)}` : ''}`),
  );
  watcher.on('error', (error) => told.push(`${error.constructor.name}: ${error.message}`));
  watcher.on('end', () => told.push('end'));
  return told;
}

async function watches(etcd) {
  const first = (await etcd.put('w/1').value('past')).header.revision;
  await etcd.put('w/2').value('past');
  await etcd.delete().key('w/1');
  const watchers = {
    key: await etcd.watch().key('w/1').create(),
    prefix: await etcd.watch().prefix('w/').create(),
    range: await etcd.watch().inRange({ start: 'w/2', end: 'w/9' }).create(),
    'from the past': etcd.watch().prefix('w/').startRevision(first).watcher(),
    'with what was before': etcd.watch().prefix('w/').startRevision(first).withPreviousKV().watcher(),
    'puts only': etcd.watch().prefix('w/').startRevision(first).only('put').watcher(),
    'deletes only': etcd.watch().prefix('w/').startRevision(first).only('delete').watcher(),
    'from the future': etcd
      .watch()
      .key('w/done')
      .startRevision(String(Number(first) + 6))
      .watcher(),
  };
  const told = Object.fromEntries(Object.entries(watchers).map(([name, watcher]) => [name, follow(watcher)]));
  await etcd.put('w/1').value('present');
  await etcd.if('w/2', 'Version', '>', 0).then(etcd.put('w/3').value('both'), etcd.delete().key('w/2')).commit();
  await etcd.put('w/done').value('early');
  await etcd.put('w/done').value('now');
  await etcd.put('w/1').value('done');
  await etcd.delete().prefix('w/');
  const least = { key: 3, prefix: 9, range: 3, 'from the past': 12, 'with what was before': 12, 'puts only': 7 };
  const expected = { ...least, 'deletes only': 5, 'from the future': 2 };
  for (const [name, lines] of Object.entries(expected)) await until(name, () => told[name].length >= lines);
  for (const watcher of Object.values(watchers)) await watcher.cancel();
  await etcd.put('w/1').value('nobody sees this');
  for (const [name, lines] of Object.entries(told)) say(name, lines);
}

/** Through one member, as another one may not have compacted yet. */
async function compactedWatch() {
  const etcd = new Etcd3({ hosts: endpoints[0] });
  const { revision } = (await etcd.put('c').value('1')).header;
  await etcd.put('c').value('2');
  await etcd.kv.compact({ revision: String(Number(revision) + 1) });
  const watcher = etcd.watch().key('c').startRevision(revision).watcher();
  const told = follow(watcher);
  await until('the end of the watch', () => told.length > 0);
  say('compacted', told);
  const late = follow(await etcd.watch().key('c').create());
  await etcd.delete().all();
  await until('the delete', () => late.length > 0);
  say('after it', late);
  etcd.close();
}

module.exports = { watches, compactedWatch };

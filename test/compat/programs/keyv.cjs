/** A program on npm's keyv with @keyv/etcd below it, as programs use it that keep a cache there. */
'use strict';

const { default: KeyvEtcd } = require('@keyv/etcd');
const { default: Keyv } = require('keyv');
const { count, endpoints, main, persist, say, sayEnd, until } = require('./session.cjs');

/** As gRPC names several addresses: the store takes one text. */
const url = `ipv4:${endpoints.join(',')}`;
const ttlMs = 2000;

const errors = [];
const stores = [];

function open(options = {}, ttl = undefined) {
  const store = new KeyvEtcd(url, ttl === undefined ? undefined : { ttl });
  const keyv = new Keyv({ store, ...options });
  keyv.on('error', (error) => errors.push(String(error)));
  stores.push(keyv);
  return keyv;
}

const keyv = open();

async function values() {
  for (const [key, value] of Object.entries({ text: 'a', number: 1.5, list: [1, { deep: true }], nothing: null })) {
    say(`set ${key}`, await keyv.set(key, value));
    say(`get ${key}`, await keyv.get(key));
  }
  say('bytes', [await keyv.set('bytes', Buffer.from([0, 128, 255])), await keyv.get('bytes')]);
  say('get of nothing', await keyv.get('never there'));
  say('has', [await keyv.has('text'), await keyv.has('never there')]);
  say('many', await keyv.get(['text', 'never there', 'number']));
  say('raw', await keyv.get('text', { raw: true }));
  say(
    'set many',
    await keyv.setMany([
      { key: 'm/1', value: 1 },
      { key: 'm/2', value: 2 },
    ]),
  );
  say('delete', [await keyv.delete('text'), await keyv.delete('text'), await keyv.get('text')]);
  say('delete many', [await keyv.deleteMany(['m/1', 'm/2']), await keyv.get(['m/1', 'm/2'])]);
}

async function namespaces() {
  const [one, other] = [open({ namespace: 'one' }), open({ namespace: 'other' })];
  await one.set('key', 'of one');
  await other.set('key', 'of the other');
  say('apart', [await one.get('key'), await other.get('key')]);
  const listed = [];
  for await (const [key, value] of one.iterator('one')) listed.push([key, value]);
  say('iterator', listed);
  await one.clear();
  say('cleared', [await one.get('key'), await other.get('key'), await keyv.get('number')]);
  await sayEnd('cleared all', keyv.clear());
  say('then', await keyv.get('number'));
}

async function timesToLive() {
  const short = open({}, ttlMs);
  await short.set('short', 'x');
  say('short at first', await short.get('short'));
  await until('its lease has run out', async () => (await short.get('short')) === undefined);
  say('short at last', await short.get('short'));
  say('set with its own', await keyv.set('own', 'x', 1));
  await until('its own time is over', async () => (await keyv.get('own')) === undefined);
  say('own at last', await keyv.get('own'));
}

/** The leader dies meanwhile. */
async function failover() {
  say('errors so far', errors.splice(0));
  console.log('the leader may die');
  for (let at = 0; at < count; at++) {
    await persist(async () => {
      await keyv.set(`f/${at}`, at);
      if (errors.splice(0).length > 0 || (await keyv.get(`f/${at}`)) !== at) throw new Error('it was not set');
    });
  }
  const all = await persist(async () => {
    const values = await keyv.get(Array.from({ length: count }, (_, at) => `f/${at}`));
    if (errors.splice(0).length > 0) throw new Error('not all could be read');
    return values;
  });
  say('seen', all.filter((value, at) => value === at).length);
}

main([values, namespaces, timesToLive, failover].map((section) => ({ name: section.name, run: section }))).then(
  async () => {
    await Promise.all(stores.map((store) => store.disconnect()));
    process.exit(0);
  },
  (error) => {
    console.error(error);
    process.exit(1);
  },
);

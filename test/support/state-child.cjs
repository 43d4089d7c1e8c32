/** A process that takes in a snapshot and installs it, as a member would, to be killed in the middle of it. */
const { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } = require('node:fs');
const { createHash } = require('node:crypto');
const { join } = require('node:path');
const { openKvStateMachine } = require('../../dist/kv/state-machine.js');

const [directory, snapshotPath, index, cluster] = process.argv.slice(2);
const last = { index: Number(index), term: 1 };

/** Stands for the log: durable once it begins after the snapshot. */
function resetLog() {
  const path = join(directory, 'log-start');
  writeFileSync(`${path}.new`, JSON.stringify(last));
  for (const file of [`${path}.new`]) {
    const descriptor = openSync(file, 'r');
    fsyncSync(descriptor);
    closeSync(descriptor);
  }
  renameSync(`${path}.new`, path);
}

async function main() {
  const machine = openKvStateMachine({ path: join(directory, 'state.db'), clusterId: BigInt(cluster) });
  const content = readFileSync(snapshotPath);
  process.send('ready');
  const sha256 = createHash('sha256').update(content).digest('hex');
  const receiver = await machine.receiveSnapshot({ last, sizeBytes: content.length, sha256 });
  for (let offset = 0; offset < content.length; offset += 65_536) {
    await receiver.write(content.subarray(offset, offset + 65_536));
  }
  await receiver.finish();
  resetLog();
  process.send('log reset');
  await machine.install(last);
  process.send('installed');
  await machine.checkpoint();
  await machine.close();
}

void main();

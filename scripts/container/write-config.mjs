// Turns the configuration of an image into files that a shell script can read: lists are separated by NUL.
//   buildah inspect --type image IMAGE | node write-config.mjs FOLDER
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = process.argv[2];
const { config } = JSON.parse(readFileSync(0, 'utf8')).OCIv1;

// What a container engine and Kubernetes read of an image, and the manifests rely on.
assert.match(
  config.User,
  /^[1-9][0-9]*:[1-9][0-9]*$/,
  'USER is a number other than 0, so that runAsNonRoot can be checked',
);
assert.equal(config.StopSignal, 'SIGTERM', 'STOPSIGNAL is the one on which a member drains');
assert.deepEqual(Object.keys(config.ExposedPorts).sort(), ['2379/tcp', '2380/tcp'], 'client and peer port are exposed');
assert.deepEqual(Object.keys(config.Volumes), ['/var/lib/quorate'], 'the data directory is a volume');
assert.equal(config.Entrypoint[0], 'node', 'no shell stands between the signal and the member');
assert.deepEqual(config.Cmd, ['serve']);
assert.equal(config.Labels['org.opencontainers.image.title'], 'quorate');

const list = (values) => values.map((value) => `${value}\0`).join('');
writeFileSync(join(folder, 'user'), config.User);
writeFileSync(join(folder, 'directory'), config.WorkingDir);
writeFileSync(join(folder, 'env'), list(config.Env));
writeFileSync(join(folder, 'entrypoint'), list(config.Entrypoint));
writeFileSync(join(folder, 'command'), list(config.Cmd));

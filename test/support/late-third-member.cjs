// Preloaded into the members of a development cluster: the third begins two seconds after the others.
'use strict';

const lateMs = 2000;

if (process.argv[2] === 'serve' && process.argv.includes('m3')) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, lateMs);
}

/** The comparison with etcd, before it starts anything. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const script = join(__dirname, '../../../scripts/bench/compare.mjs');

describe('The comparison with etcd', () => {
  it.each(['QUORATE_UNSAFE_SYNCHRONOUS', 'ETCD_UNSAFE_NO_FSYNC'])(
    'refuses to run where one side need not wait for its disk: %s',
    (name) => {
      const env = { ...process.env, [name]: 'NORMAL' };
      const { status, stdout, stderr } = spawnSync(process.execPath, [script, '--quick'], {
        ...{ env, encoding: 'utf8', timeout: 20_000 },
      });
      expect({ status, stdout, stderr }).toEqual({
        ...{ status: 2, stdout: '' },
        stderr: `error: ${name} is set: what is not durable is not compared\n`,
      });
    },
  );
});

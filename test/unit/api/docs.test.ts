/** docs/api.md tells what the code does. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { ttlSeconds } from '../../../src/api/durations';
import { errorTable } from '../../../src/api/errors';
import { streamListLimits } from '../../../src/api/native/kv-service';
import { maxBatchKeys } from '../../../src/api/native/kv/batch-get';
import { txnLimits } from '../../../src/api/native/kv/txn-operations';
import { writeBounds } from '../../../src/api/native/kv/write-session';
import { writeStreamLimits } from '../../../src/api/native/kv/write-streams';
import { stalenessBounds } from '../../../src/api/read-gate';
import { requestIdWindow } from '../../../src/api/request-ids';
import { copyLimits } from '../../../src/api/state-copies';
import { answerMargin } from '../../../src/api/unary-calls';
import { pageSizes } from '../../../src/api/validate';
import { ClusterServiceService } from '../../../src/gen/quorate/v1/cluster';
import { ElectionServiceService } from '../../../src/gen/quorate/v1/election';
import { KVServiceService } from '../../../src/gen/quorate/v1/kv';
import { LeaseServiceService } from '../../../src/gen/quorate/v1/lease';
import { LockServiceService } from '../../../src/gen/quorate/v1/lock';
import { MaintenanceServiceService } from '../../../src/gen/quorate/v1/maintenance';
import { livenessServices, quorumServices } from '../../../src/ops/health';
import { optionTable } from '../../../src/ops/options';
import { apiExamples } from '../../support/api-examples';

const text = readFileSync(join(__dirname, '../../../docs/api.md'), 'utf8');
const rows = text
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .map((line) =>
    line
      .split('|')
      .map((cell) => cell.trim())
      .slice(1, -1),
  );
const defaultOf = (option: keyof typeof optionTable) => Number(optionTable[option].default);
const services = [
  KVServiceService,
  LeaseServiceService,
  LockServiceService,
  ElectionServiceService,
  ClusterServiceService,
  MaintenanceServiceService,
];
const paths = services.flatMap((service) => Object.values(service).map(({ path }: { path: string }) => path.slice(1)));
const row = (first: string) => rows.find(([cell]) => cell === first);

describe('docs/api.md', () => {
  it.each(Object.values(errorTable).map((rule) => [rule.reason, rule] as const))(
    'describes %s as the code does',
    (reason, rule) => {
      expect(row(`\`${reason}\``)?.slice(1)).toEqual([
        `\`${status[rule.status]}\``,
        rule.outcomes.map((outcome) => `\`${outcome}\``).join(' or '),
        rule.retryAfterMs === undefined ? '-' : `${String(rule.retryAfterMs)} ms`,
        rule.advice,
      ]);
    },
  );

  it('describes no error that the code does not have', () => {
    const documented = rows
      .filter(([, second]) => second !== undefined && /^`[A-Z_]+`$/.test(second))
      .map(([reason]) => reason);
    const known = Object.values(errorTable).map(({ reason }) => `\`${reason}\``);
    expect(documented.sort()).toEqual([...known, '`INTERNAL`'].sort());
  });

  it('lists every RPC', () => {
    for (const path of paths) expect(row(`\`${path}\``)).toBeDefined();
  });

  it('lists no RPC that there is not', () => {
    const listed = rows.map(([cell = '']) => /^`(quorate\.v1\.\w+\/\w+)`$/.exec(cell)?.[1]);
    for (const path of listed) if (path !== undefined) expect(paths).toContain(path);
  });

  it('has an example of every RPC, and none of another', () => {
    expect([...new Set(apiExamples().map(({ method }) => method))].sort()).toEqual([...paths].sort());
  });

  it('gives the limits that the options have by default', () => {
    expect(row('key')?.[1]).toContain(`${String(defaultOf('maxKeyBytes') / 1024)} KiB`);
    expect(row('value')?.[1]).toContain(`${String(defaultOf('maxValueBytes') / 1024 ** 2)} MiB`);
    expect(row('`page_size`')?.[1]).toBe(`0 (meaning ${String(pageSizes.default)}) to ${String(pageSizes.max)} keys`);
    expect(row('calls being answered')?.[1]).toBe(defaultOf('maxCallsInFlight').toLocaleString('en'));
    expect(row('snapshots being sent')?.[1]).toBe(String(copyLimits.maxStreams));
    expect(text).toContain(`takes nothing for ${String(copyLimits.maxStallMs / 1000)} s is given up`);
    expect(row('calls on one connection')?.[1]).toBe(defaultOf('maxStreamsPerConnection').toLocaleString('en'));
    expect(row('time of a call without a deadline')?.[1]).toBe(`${String(defaultOf('requestTimeoutMs') / 1000)} s`);
    expect(row('keys of one BatchGet')?.[1]).toBe(`1 to ${String(maxBatchKeys)}`);
    expect(row('versions of one GetHistory')?.[1]).toContain(
      `0 (meaning ${String(pageSizes.default)}) to ${String(pageSizes.max)}`,
    );
    expect(row('time to live')?.[1]).toBe(`${String(ttlSeconds.min)} s to ${ttlSeconds.max.toLocaleString('en')} s`);
    expect(row('`max_staleness`')?.[1]).toBe(`up to ${String(stalenessBounds.max / 3_600_000)} h`);
    const { behindMs, aheadMs } = requestIdWindow;
    expect(row('age of a `request_id`')?.[1]).toBe(
      `${String(behindMs / 1000)} s behind to ${String(aheadMs / 1000)} s ahead`,
    );
    expect(row('one transaction')?.[1]).toBe(
      `${String(txnLimits.compares)} comparisons, ${String(txnLimits.operations)} operations, ${String(txnLimits.depth)} deep`,
    );
    expect(row('one Write message')?.[1]).toBe(`1 to ${String(writeBounds.maxMutations)} mutations`);
    expect(row('unanswered mutations of a Write stream')?.[1]).toBe(
      `${String(writeBounds.maxUnanswered)}, or ${String(writeBounds.maxUnansweredBytes / 1024 ** 2)} MiB`,
    );
    expect(row('Write streams')?.[1]).toBe(String(writeStreamLimits.maxStreams));
    expect(row('StreamList calls')?.[1]).toBe(String(streamListLimits.maxStreams));
    for (const [flag] of text.matchAll(/`--[a-z-]+`/g)) {
      expect(Object.values(optionTable).map((option) => `\`--${option.flag}\``)).toContain(flag);
    }
  });

  it('gives the margin before a deadline', () => {
    const { minMs, maxMs, maxFraction } = answerMargin;
    expect(text).toContain(
      `${String(minMs)} to ${String(maxMs)} ms before it (in calls shorter than ${String(minMs / maxFraction)} ms, halfway)`,
    );
  });

  it('names the health services', () => {
    for (const name of [...quorumServices, ...livenessServices]) if (name !== '') expect(text).toContain(`\`${name}\``);
  });
});

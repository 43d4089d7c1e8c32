/** docs/api.md tells what the code does. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { errorTable } from '../../../src/api/errors';
import { copyLimits } from '../../../src/api/state-copies';
import { answerMargin } from '../../../src/api/unary-calls';
import { pageSizes } from '../../../src/api/validate';
import { ClusterServiceService } from '../../../src/gen/quorate/v1/cluster';
import { KVServiceService } from '../../../src/gen/quorate/v1/kv';
import { MaintenanceServiceService } from '../../../src/gen/quorate/v1/maintenance';
import { livenessServices, quorumServices } from '../../../src/ops/health';
import { optionTable } from '../../../src/ops/options';

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
    const services = [KVServiceService, ClusterServiceService, MaintenanceServiceService];
    const paths = services.flatMap((service) =>
      Object.values(service).map(({ path }: { path: string }) => path.slice(1)),
    );
    for (const path of paths) expect(row(`\`${path}\``)).toBeDefined();
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

import { SmallProject } from '../../support/small-project';

/** A deliberately wrong import for each rule: the file that breaks it, and its content. */
const wrong: Readonly<Record<string, readonly [file: string, content: string]>> = {
  'no-cycle': ['src/raft/cycle-a.ts', "import { b } from './cycle-b';\nexport const a = (): number => b();\n"],
  'no-orphan': ['src/kv/orphan.ts', 'export const alone = 1;\n'],
  resolvable: ['src/api/lost.ts', "import { x } from './nowhere';\nexport const y = x;\n"],
  'no-dev-package': ['src/api/dev.ts', "import { test } from 'fast-check';\nexport const y = test;\n"],
  'base-alone': ['src/base/fs.ts', "import { readFileSync } from 'node:fs';\nexport const y = readFileSync;\n"],
  'gen-alone': ['src/gen/curious.ts', "import { base } from '../base/base';\nexport const y = base;\n"],
  'core-pure': ['src/raft/random.ts', "import { randomInt } from 'node:crypto';\nexport const y = randomInt;\n"],
  'tls-alone': ['src/tls/curious.ts', "import type { Inner } from '../raft';\nexport type Y = Inner;\n"],
  'core-entrance': ['src/storage/peek.ts', "import type { Inner } from '../raft/inner';\nexport type Y = Inner;\n"],
  'siblings-apart': [
    'src/kv/sibling.ts',
    "import type { Storage } from '../storage/storage';\nexport type Y = Storage;\n",
  ],
  'siblings-point-down': ['src/storage/up.ts', "import type { Node } from '../node/node';\nexport type Y = Node;\n"],
  'driver-sees-interfaces': [
    'src/node/concrete.ts',
    "import { sqlite } from '../storage/sqlite-log';\nexport const y = sqlite;\n",
  ],
  'services-apart': ['src/ops/service.ts', "import { api } from '../api/api';\nexport const y = api;\n"],
  'apis-apart': ['src/api/native/twin.ts', "import { etcd } from '../etcd/etcd';\nexport const y = etcd;\n"],
  'services-point-down': ['src/api/up.ts', "import { verb } from '../cli/verb';\nexport const y = verb;\n"],
  'main-on-top': ['src/cli/start.ts', "import '../main';\nexport const y = 1;\n"],
  'cli-on-top': ['src/sim/verb.ts', "import { verb } from '../cli/verb';\nexport const y = verb;\n"],
  'sim-outside': ['src/cli/simulate.ts', "import { sim } from '../sim/sim';\nexport const y = sim;\n"],
  'sqlite-placed': ['src/kv/database.ts', "import Database from 'better-sqlite3';\nexport const y = Database;\n"],
  'grpc-placed': ['src/kv/rpc.ts', "import { status } from '@grpc/grpc-js';\nexport const y = status;\n"],
  'ops-packages-placed': ['src/node/log.ts', "import { pino } from 'pino';\nexport const y = pino;\n"],
  'node-sqlite-absent': [
    'src/kv/other.ts',
    "import { DatabaseSync } from 'node:sqlite';\nexport const y = DatabaseSync;\n",
  ],
};

/** What the wrong files import, itself without fault. */
const right: Readonly<Record<string, string>> = {
  'src/base/base.ts': 'export const base = 1;\n',
  'src/raft/index.ts': "export type { Inner } from './inner';\n",
  'src/raft/inner.ts': "import { base } from '../base/base';\nexport type Inner = typeof base;\n",
  'src/raft/cycle-b.ts': "import { a } from './cycle-a';\nexport const b = (): number => a();\n",
  'src/storage/storage.ts': "import type { Inner } from '../raft';\nexport type Storage = Inner;\n",
  'src/storage/sqlite-log.ts': "import Database from 'better-sqlite3';\nexport const sqlite = Database;\n",
  'src/node/node.ts': "import type { Storage } from '../storage/storage';\nexport type Node = Storage;\n",
  'src/api/api.ts': "import { status } from '@grpc/grpc-js';\nexport const api = status;\n",
  'src/api/etcd/etcd.ts': "import { api } from '../api';\nexport const etcd = api;\n",
  'src/ops/logger.ts': "import { pino } from 'pino';\nexport const logger = pino;\n",
  'src/cli/verb.ts': "import { api } from '../api/api';\nexport const verb = api;\n",
  'src/sim/sim.ts': "import { base } from '../base/base';\nexport const sim = base;\n",
  'src/main.ts': "import { verb } from './cli/verb';\nexport const started = verb;\n",
};

interface Report {
  readonly summary: {
    readonly violations: readonly { readonly rule: { readonly name: string }; readonly from: string }[];
    readonly ruleSetUsed: { readonly forbidden: readonly { readonly name: string; readonly comment?: string }[] };
  };
}

describe('Layer rules', () => {
  let report: Report;

  beforeAll(() => {
    const project = new SmallProject(['.dependency-cruiser.cjs', 'tsconfig.json'], {
      ...right,
      ...Object.fromEntries(Object.values(wrong)),
    });
    const { stdout } = project.tool('depcruise', '--config', '.dependency-cruiser.cjs', '--output-type', 'json', 'src');
    project.remove();
    report = JSON.parse(stdout) as Report;
  }, 60_000);

  it.each(Object.entries(wrong).map(([rule, [file]]) => [rule, file] as const))('%s catches %s', (rule, file) => {
    const culprits = report.summary.violations.filter((violation) => violation.rule.name === rule);
    expect(culprits.map(({ from }) => from)).toContain(file);
  });

  it('accept what is right', () => {
    const culprits = new Set(report.summary.violations.map(({ from }) => from));
    // The other half of the cycle is as wrong as the first.
    culprits.delete('src/raft/cycle-b.ts');
    expect([...culprits].sort()).toEqual(
      Object.values(wrong)
        .map(([file]) => file)
        .sort(),
    );
  });

  it('are all proved here, and each says why it is there', () => {
    const rules = report.summary.ruleSetUsed.forbidden;
    expect(rules.map(({ name }) => name).sort()).toEqual(Object.keys(wrong).sort());
    for (const { comment } of rules) expect(comment?.length).toBeGreaterThan(20);
  });
});

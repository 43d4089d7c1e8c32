import { SmallProject } from '../../support/small-project';

const purpose = '/** What this file is for, in one line. */\n';
const lines = (count: number, line: string) => `${line}\n`.repeat(count);

/** The house rules that matter most: a file that breaks each, and the rule that must say so. */
const wrong: readonly (readonly [rule: string, file: string, content: string])[] = [
  ['house/opens-with-purpose', 'src/kv/mute.ts', 'export const x = 1;\n'],
  ['house/opens-with-purpose', 'src/kv/late.ts', 'export const x = 1;\n/** What this file is for. */\n'],
  ['house/opens-with-purpose', 'src/kv/plain.ts', '// What this file is for, in one line.\nexport const x = 1;\n'],
  ['house/opens-with-purpose', 'scripts/mute.mjs', 'export const x = 1;\n'],
  ['max-lines', 'src/kv/long.ts', purpose + lines(400, 'export {};')],
  [
    'max-lines-per-function',
    'src/kv/body.ts',
    `${purpose}export function f(): void {\n${lines(61, '  String(1);')}}\n`,
  ],
  [
    '@typescript-eslint/max-params',
    'src/kv/many.ts',
    `${purpose}export const f = (a: 1, b: 2, c: 3, d: 4, e: 5) => [a, b, c, d, e];\n`,
  ],
  ['no-restricted-exports', 'src/kv/default.ts', `${purpose}export default 1;\n`],
  [
    '@typescript-eslint/no-floating-promises',
    'src/kv/float.ts',
    `${purpose}export const f = () => {\n  Promise.resolve(1);\n};\n`,
  ],
  [
    '@typescript-eslint/switch-exhaustiveness-check',
    'src/kv/switch.ts',
    `${purpose}export function f(x: 'a' | 'b'): void {\n  switch (x) {\n    case 'a':\n  }\n}\n`,
  ],
  [
    '@typescript-eslint/no-non-null-assertion',
    'src/kv/bang.ts',
    `${purpose}export const f = (x?: number) => x!.toFixed();\n`,
  ],
  ['@typescript-eslint/no-explicit-any', 'src/kv/any.ts', `${purpose}export const f = (x: any): unknown => x;\n`],
  [
    '@typescript-eslint/no-unnecessary-condition',
    'src/kv/always.ts',
    `${purpose}export const f = (x: number) => x ?? 1;\n`,
  ],
  ['no-restricted-globals', 'src/kv/date.ts', `${purpose}export const f = () => new Date().getTime();\n`],
  ['no-restricted-properties', 'src/kv/chance.ts', `${purpose}export const f = () => Math.random();\n`],
  ['no-restricted-properties', 'src/raft/chance.ts', `${purpose}export const f = () => Math.random();\n`],
  ['no-console', 'src/kv/talk.ts', `${purpose}export const f = () => {\n  console.log(1);\n};\n`],
  ...[
    'Date.now()',
    'performance.now()',
    'setTimeout(() => 1, 1)',
    'console',
    'process.pid',
    'Buffer.alloc(1)',
    'crypto.randomUUID()',
    'globalThis',
  ].map(
    (expression, index) =>
      [
        'no-restricted-globals',
        `src/${index % 2 === 0 ? 'base' : 'raft'}/ambient-${index}.ts`,
        `${purpose}export const f = () => ${expression};\n`,
      ] as const,
  ),
  ['no-undef', 'scripts/undefined.mjs', '// What this file is for, in one line.\nexport const f = () => nowhere;\n'],
  [
    '@typescript-eslint/no-floating-promises',
    'test/unit/float.test.ts',
    'it("floats", () => {\n  Promise.resolve(1);\n});\n',
  ],
];

const right: Readonly<Record<string, string>> = {
  'src/kv/fine.ts': `${purpose}export function f(x: 'a' | 'b'): number {\n  switch (x) {\n    case 'a':\n      return 1;\n    case 'b':\n      return 2;\n  }\n}\n`,
  'src/base/fine.ts': `${purpose}export const f = (x: number): string => \`\${x} and \${Math.max(x, 1)}\`;\n`,
  'src/main.ts': `#!/usr/bin/env node\n${purpose}console.log(1);\n`,
  'test/unit/fine.test.ts': `it('is fine', () => {\n${lines(80, '  expect(1).toBe(1);')}});\n`,
  'scripts/fine.mjs': '// What this file is for, in one line.\nexport const f = () => process.pid;\n',
};

interface FileReport {
  readonly filePath: string;
  readonly messages: readonly { readonly ruleId: string | null; readonly message: string }[];
}

describe('Lint rules', () => {
  let rulesByFile: ReadonlyMap<string, readonly string[]>;

  beforeAll(() => {
    const project = new SmallProject(['eslint.config.mjs', 'scripts/lint', 'tsconfig.json', 'test/tsconfig.json'], {
      ...right,
      ...Object.fromEntries(wrong.map(([, file, content]) => [file, content])),
    });
    const { stdout, stderr } = project.tool('eslint', '--format', 'json', 'src', 'test', ...scripts());
    project.remove();
    if (stdout === '') throw new Error(stderr);
    const reports = JSON.parse(stdout) as readonly FileReport[];
    const path = (file: string) => file.slice(file.indexOf(project.directory) + project.directory.length + 1);
    rulesByFile = new Map(
      reports.map(({ filePath, messages }) => [path(filePath), messages.map((each) => each.ruleId ?? each.message)]),
    );
  }, 120_000);

  it.each(wrong)('%s catches %s', (rule, file) => {
    expect(rulesByFile.get(file)).toContain(rule);
  });

  it.each(Object.keys(right))('accept %s', (file) => {
    expect(rulesByFile.get(file)).toEqual([]);
  });
});

/** The made-up scripts; the borrowed rule beside them is linted with the project itself. */
function scripts(): readonly string[] {
  return [...wrong.map(([, file]) => file), ...Object.keys(right)].filter((file) => file.startsWith('scripts/'));
}

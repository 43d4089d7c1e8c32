import { SmallProject } from '../../support/small-project';

const proto = (fields: string) =>
  `// A shelf.\nsyntax = "proto3";\n\npackage shelf.v1;\n\n// A book.\nmessage Book {\n${fields}}\n`;
const title = '  // Its title.\n  string title = 1;\n';
const pages = '  // Its length.\n  int64 pages = 2;\n';
const file = 'proto/shelf/v1/shelf.proto';

/** The closing line of the gate, which CI reads. */
const lastLine = (output: string) => output.trimEnd().split('\n').at(-1);

describe('The gate', () => {
  let project: SmallProject;

  const git = (...args: readonly string[]) => {
    const identity = ['-c', 'user.name=Nobody', '-c', 'user.email=nobody@example.org', '-c', 'commit.gpgsign=false'];
    const { status, stderr } = project.run('git', ...identity, ...args);
    if (status !== 0) throw new Error(stderr);
  };
  const gate = (...steps: readonly string[]) => project.run(process.execPath, 'scripts/gate.mjs', ...steps);
  const commit = () => {
    git('add', '--all');
    git('commit', '--quiet', '--message', 'A step');
  };

  beforeEach(() => {
    project = new SmallProject(['package-lock.json', 'buf.yaml', 'scripts/gate.mjs', 'scripts/gate', 'scripts/lib'], {
      [file]: proto(title + pages),
      '.gitignore': 'node_modules\n.cache/\n',
    });
    git('init', '--quiet');
    commit();
  });
  afterEach(() => {
    project.remove();
  });

  it('ends with the count on a line of its own, and succeeds', () => {
    const { status, stdout } = gate('proto-lint', 'proto-format', 'unchanged');
    expect(lastLine(stdout)).toBe('4 passed, 0 failed');
    expect(status).toBe(0);
  }, 60_000);

  it('fails when a released message loses a field', () => {
    git('tag', 'v0.1.0');
    project.write(file, proto(title));
    const { status, stdout } = gate('proto-breaking');
    expect(stdout).toContain('Previously present field "2" with name "pages"');
    expect(lastLine(stdout)).toBe('1 passed, 1 failed');
    expect(status).toBe(1);
  }, 60_000);

  it('lets a released message gain a field', () => {
    project.write(file, proto(title));
    commit();
    git('tag', 'v0.1.0');
    project.write(file, proto(title + pages));
    expect(lastLine(gate('proto-breaking').stdout)).toBe('2 passed, 0 failed');
  }, 60_000);

  it('only tells, before the first release, what would break', () => {
    project.write(file, proto(title));
    commit();
    const { stdout } = gate('proto-breaking');
    expect(stdout).toContain('no release yet; these changes would break');
    expect(lastLine(stdout)).toBe('2 passed, 0 failed');
  }, 60_000);

  it('fails when a file changes while it runs', () => {
    // Stands in for a tool that rewrites what it should only check.
    project.write(
      'scripts/generate.mjs',
      "import { writeFileSync } from 'node:fs';\nwriteFileSync('stray.txt', '');\n",
    );
    const { status, stdout } = gate('generate', 'unchanged');
    expect(stdout).toContain('stray.txt');
    expect(lastLine(stdout)).toBe('2 passed, 1 failed');
    expect(status).toBe(1);
  }, 60_000);

  it('leaves out what cannot work after a failure, and says so', () => {
    project.write('scripts/generate.mjs', 'process.exit(3);\n');
    project.write('test/unit/one.test.ts', 'it("is", () => {});\n');
    const { status, stdout } = gate('unit');
    expect(stdout).toContain('not run, since "build" failed');
    expect(lastLine(stdout)).toBe('1 passed, 1 failed, 2 skipped');
    expect(status).toBe(1);
  }, 60_000);

  it('names each test that failed, and why, before the count', () => {
    for (const step of ['generate', 'build']) project.write(`scripts/${step}.mjs`, '');
    project.write('jest.config.cjs', "module.exports = { projects: [{ displayName: 'unit' }] };\n");
    project.write(
      'test/unit/one.test.ts',
      "it('is', () => {});\ndescribe('One', () => it('is two', () => expect(1).toBe(2)));\n",
    );
    const { stdout } = gate('unit');
    expect(stdout.trimEnd().split('\n').slice(-4)).toEqual([
      expect.stringMatching(/^Done in/),
      'Failed: unit',
      '  unit: test/unit/one.test.ts: One is two: Error: expect(received).toBe(expected) // Object.is equality',
      '4 passed, 1 failed',
    ]);
  }, 60_000);

  it('ends with the count even when it breaks itself', () => {
    const { status, stdout } = gate('no-such-step');
    expect(lastLine(stdout)).toBe('0 passed, 1 failed');
    expect(status).toBe(1);
  });
});

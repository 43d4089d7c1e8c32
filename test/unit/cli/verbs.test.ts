/** Verbs are loaded one by one: the table that names them, and what the most common start does without. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

const cli = join(__dirname, '../../../dist/cli');

/** Runs a script in a process of its own: jest cannot load on demand. It prints JSON. */
function run(script: string): unknown {
  return JSON.parse(execFileSync(process.execPath, ['-e', script], { cwd: cli, encoding: 'utf8' }));
}

/** The verbs that each word of the command line leads to. */
function namesFor(words: readonly string[]): readonly (readonly string[])[] {
  return run(`
    const { Command } = require('commander');
    const { registerVerbs } = require('${cli}/verbs.js');
    const namesFor = async (word) => {
      const program = new Command();
      await registerVerbs(program, word);
      return program.commands.map((command) => command.name());
    };
    Promise.all(${JSON.stringify(words)}.map(namesFor)).then((names) => console.log(JSON.stringify(names)));
  `) as readonly (readonly string[])[];
}

/** What is loaded with these files of the program. */
function loadedWith(...files: readonly string[]): readonly string[] {
  const loads = files.map((file) => `require('${cli}/${file}');`).join(' ');
  return run(`${loads} console.log(JSON.stringify(Object.keys(require.cache)))`) as readonly string[];
}

describe('Verbs', () => {
  const [all = []] = namesFor(['--help']);

  it('are all there for help, for completion and for what is none', () => {
    expect(all.length).toBeGreaterThan(20);
    expect(namesFor(['', 'help', 'nonsense', 'completion'])).toEqual([all, all, all, all]);
  });

  it('are there alone when they are called', () => {
    const called = all.filter((name) => name !== 'completion');
    expect(namesFor(called)).toEqual(called.map((name) => [name]));
  });

  it('of a member load no gRPC, so that its state is being read before that', () => {
    const loaded = loadedWith('serve.js');
    expect(loaded.some((path) => path.endsWith('early-index.js'))).toBe(true);
    expect(loaded.filter((path) => path.includes('grpc'))).toEqual([]);
  });

  it('of a member load nothing that only JSON, reflection and a YAML file need', () => {
    const loaded = loadedWith('serve.js', 'serve/process.js');
    expect(loaded.some((path) => path.endsWith('http-api.js'))).toBe(true);
    const unneeded = /json-gateway|ops\/descriptors|protobuf\/dist\/cjs\/(wkt\/)?index|\/yaml\//;
    expect(loaded.filter((path) => unneeded.test(path))).toEqual([]);
  });
});

import { execFileSync } from 'node:child_process';
import { Command } from 'commander';
import { registerAlarmCommand } from '../../../src/cli/alarm';
import { bashScript } from '../../../src/cli/completion/bash';
import { fishScript } from '../../../src/cli/completion/fish';
import { completedVerbs } from '../../../src/cli/completion/tree';
import { zshScript } from '../../../src/cli/completion/zsh';
import { registerGetCommand } from '../../../src/cli/get';
import { registerPutCommand } from '../../../src/cli/put';

function program(): Command {
  const made = new Command('quorate').description('A store.');
  registerGetCommand(made);
  registerPutCommand(made);
  registerAlarmCommand(made);
  return made;
}

const verbs = completedVerbs(program());

/** What bash offers for the last word. */
function offered(...words: readonly string[]): readonly string[] {
  const list = words.map((word) => `'${word}'`).join(' ');
  const ask = `COMP_WORDS=(${list}); COMP_CWORD=${String(words.length - 1)}; _quorate; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return execFileSync('bash', ['-c', `${bashScript(verbs)}\n${ask}`], { encoding: 'utf8' })
    .trim()
    .split('\n');
}

describe('completion', () => {
  it('knows every verb, its options and their values, from the command line itself', () => {
    expect(verbs.map(({ path }) => path.join(' '))).toEqual([
      '',
      'get',
      'put',
      'alarm',
      'alarm list',
      'alarm raise',
      'alarm clear',
    ]);
    const output = verbs[1]?.options.find(({ flags }) => flags[0] === '--output');
    expect(output).toMatchObject({ takesValue: true, choices: ['table', 'json'], isPath: false });
    expect(verbs[2]?.options.find(({ flags }) => flags[0] === '--file')).toMatchObject({ isPath: true });
  });

  it('of bash offers verbs, options and values where they fit', () => {
    expect(offered('quorate', '')).toEqual(['get', 'put', 'alarm']);
    expect(offered('quorate', 'alarm', 'r')).toEqual(['raise']);
    expect(offered('quorate', 'alarm', 'raise', '')).toEqual(['no-space', 'corrupt']);
    expect(offered('quorate', 'get', 'key', '--con')).toEqual(['--consistency']);
    expect(offered('quorate', 'get', '--output', '')).toEqual(['table', 'json']);
  });

  it('of zsh and fish has every verb and option', () => {
    for (const script of [zshScript(verbs), fishScript(verbs)]) {
      for (const word of ['get', 'put', 'alarm', 'raise', 'consistency', 'no-space', 'linearizable']) {
        expect(script).toContain(word);
      }
    }
  });
});

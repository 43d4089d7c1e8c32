/** `quorate completion`: prints a script by which a shell completes verbs and options. */
import { Argument, type Command } from 'commander';
import { bashScript } from './completion/bash';
import { fishScript } from './completion/fish';
import { completedVerbs, type CompletedVerb } from './completion/tree';
import { zshScript } from './completion/zsh';
import { exitWithUsage } from './usage';

type Shell = 'bash' | 'zsh' | 'fish';

const scripts: Readonly<Record<Shell, (verbs: readonly CompletedVerb[]) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

const loading = `
Load it in the running shell, or from its start file:
  bash: source <(quorate completion bash)
  zsh:  source <(quorate completion zsh)
  fish: quorate completion fish | source`;

/** To be registered last: it completes whatever the program has then. */
export function registerCompletionCommand(program: Command): void {
  const command = program
    .command('completion')
    .description('Print a script by which a shell completes verbs and options.')
    .addArgument(new Argument('<shell>', 'for which shell').choices(Object.keys(scripts)))
    .addHelpText('after', loading);
  exitWithUsage(command).action((shell: Shell) => {
    process.stdout.write(scripts[shell](completedVerbs(program)));
  });
}

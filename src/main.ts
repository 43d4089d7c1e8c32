#!/usr/bin/env node
/** The command line of quorate. */
import './cli/require-node';
import { Command } from 'commander';
import { exitWithUsage } from './cli/usage';
import { registerVerbs } from './cli/verbs';
import { programVersion } from './cli/version';

async function main(): Promise<void> {
  const program = new Command('quorate')
    .description('A replicated key-value store: several members keep one database identical by Raft.')
    .version(programVersion(), '-v, --version');
  exitWithUsage(program);
  await registerVerbs(program, process.argv[2]);
  await program.parseAsync();
}

void main();

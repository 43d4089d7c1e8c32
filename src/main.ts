#!/usr/bin/env node
/** The command line of quorate: one verb, one file. */
import './cli/require-node';
import { Command } from 'commander';
import { exitWithUsage } from './cli/client-command';
import { registerDelCommand } from './cli/del';
import { registerDevCommand } from './cli/dev';
import { registerGetCommand } from './cli/get';
import { registerListCommand } from './cli/list';
import { registerPutCommand } from './cli/put';
import { registerServeCommand } from './cli/serve';
import { registerStatusCommand } from './cli/status';
import { programVersion } from './cli/version';

const program = new Command('quorate')
  .description('A replicated key-value store: several members keep one database identical by Raft.')
  .version(programVersion(), '-v, --version');
exitWithUsage(program);
registerServeCommand(program);
registerDevCommand(program);
registerPutCommand(program);
registerGetCommand(program);
registerDelCommand(program);
registerListCommand(program);
registerStatusCommand(program);
void program.parseAsync();

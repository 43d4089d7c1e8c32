#!/usr/bin/env node
/** The command line of quorate: one verb, one file. */
import './cli/require-node';
import { Command } from 'commander';
import { exitWithUsage } from './cli/client-command';
import { registerDelCommand } from './cli/del';
import { registerDevCommand } from './cli/dev';
import { registerGetCommand } from './cli/get';
import { registerListCommand } from './cli/list';
import { registerMemberCommand } from './cli/member';
import { registerPutCommand } from './cli/put';
import { registerServeCommand } from './cli/serve';
import { registerSnapshotCommand } from './cli/snapshot';
import { registerStatusCommand } from './cli/status';
import { registerTransferLeaderCommand } from './cli/transfer-leader';
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
registerMemberCommand(program);
registerTransferLeaderCommand(program);
registerSnapshotCommand(program);
void program.parseAsync();

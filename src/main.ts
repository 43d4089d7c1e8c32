#!/usr/bin/env node
/** The command line of quorate: one verb, one file. */
import './cli/require-node';
import { Command } from 'commander';
import { registerAlarmCommand } from './cli/alarm';
import { exitWithUsage } from './cli/client-command';
import { registerCompactCommand } from './cli/compact';
import { registerCompletionCommand } from './cli/completion';
import { registerDelCommand } from './cli/del';
import { registerDevCommand } from './cli/dev';
import { registerElectCommand } from './cli/elect';
import { registerExportCommand } from './cli/export';
import { registerGetCommand } from './cli/get';
import { registerHistoryCommand } from './cli/history';
import { registerImportCommand } from './cli/import';
import { registerLeaseCommand } from './cli/lease';
import { registerListCommand } from './cli/list';
import { registerLockCommand } from './cli/lock';
import { registerMemberCommand } from './cli/member';
import { registerPutCommand } from './cli/put';
import { registerServeCommand } from './cli/serve';
import { registerSettingsCommand } from './cli/settings';
import { registerSnapshotCommand } from './cli/snapshot';
import { registerStatusCommand } from './cli/status';
import { registerTransferLeaderCommand } from './cli/transfer-leader';
import { registerTxnCommand } from './cli/txn';
import { programVersion } from './cli/version';
import { registerWatchCommand } from './cli/watch';

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
registerTxnCommand(program);
registerWatchCommand(program);
registerHistoryCommand(program);
registerLeaseCommand(program);
registerLockCommand(program);
registerElectCommand(program);
registerImportCommand(program);
registerExportCommand(program);
registerStatusCommand(program);
registerMemberCommand(program);
registerTransferLeaderCommand(program);
registerSnapshotCommand(program);
registerCompactCommand(program);
registerAlarmCommand(program);
registerSettingsCommand(program);
registerCompletionCommand(program);
void program.parseAsync();

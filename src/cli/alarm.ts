/** `quorate alarm`: lists the alarms that stand, raises and clears them. */
import { Argument, type Command } from 'commander';
import type { AlarmKind } from '../client';
import { memberId } from './arguments';
import { addClientOptions, runVerb, type ClientCommandOptions } from './client-command';
import { exitCode } from './exit-code';
import { tableLines, toJson } from './format';
import { exitWithUsage } from './usage';

interface AlarmOptions extends ClientCommandOptions {
  readonly member: bigint;
}

export function registerAlarmCommand(program: Command): void {
  const group = exitWithUsage(program.command('alarm')).description(
    'Alarms: while no-space stands, puts and grants are refused; while corrupt does, everything that changes data is.',
  );
  registerList(group);
  registerChange(group, 'raise', 'Raise an alarm by hand.', 'the member it is about, by id; default: the one asked');
  registerChange(group, 'clear', 'Clear an alarm. One that has a cause comes back.', 'only of this member, by id');
}

function registerList(group: Command): void {
  const command = group.command('list').description('List the alarms that stand. Exits with 6 if there are any.');
  addClientOptions(command).action(async (options: ClientCommandOptions) => {
    await runVerb(options, async ({ client, json, write }) => {
      const alarms = await client.maintenance.alarms();
      const rows = alarms.map((it) => [it.alarm, String(it.memberId)]);
      const lines = alarms.length === 0 ? ['No alarms'] : tableLines([['ALARM', 'MEMBER'], ...rows]);
      await write(json ? `${toJson({ alarms })}\n` : `${lines.join('\n')}\n`);
      return alarms.length === 0 ? exitCode.ok : exitCode.degraded;
    });
  });
}

function registerChange(group: Command, action: 'raise' | 'clear', description: string, memberHelp: string): void {
  const command = group
    .command(action)
    .description(description)
    .addArgument(new Argument('<alarm>', 'which').choices(['no-space', 'corrupt']))
    .option('--member <id>', memberHelp, memberId, 0n);
  addClientOptions(command).action(async (alarm: AlarmKind, options: AlarmOptions) => {
    await runVerb(options, async ({ client, json, write }) => {
      const { maintenance } = client;
      const changed = await (action === 'raise'
        ? maintenance.raiseAlarm(alarm, options.member)
        : maintenance.clearAlarm(alarm, options.member));
      await write(json ? `${toJson({ alarm, changed })}\n` : `${sentence(action, changed)}\n`);
      return exitCode.ok;
    });
  });
}

function sentence(action: 'raise' | 'clear', changed: boolean): string {
  if (action === 'raise') return changed ? 'Raised' : 'It stood already';
  return changed ? 'Cleared' : 'It did not stand';
}

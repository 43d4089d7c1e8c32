/** `quorate watch`: shows changes as they happen, or from a revision on. */
import { Argument, Option, type Command } from 'commander';
import type { KeyEvent, KeyValue, Selection, Watch, WatchMessage, WatchOptions } from '../client';
import {
  addSelectionOptions,
  given,
  revisionNumber,
  selectionOf,
  wholeNumber,
  type SelectionOptions,
} from './arguments';
import { addClientOptions, runVerb, type ClientCommandOptions, type VerbContext } from './client-command';
import { exitCode } from './exit-code';
import { escapeControls, eventToJson, keyValueToJson, toJson, valueForTerminal } from './format';
import { onInterrupt } from './interrupt';

interface WatchCommandOptions extends ClientCommandOptions, SelectionOptions {
  readonly revision?: number;
  readonly resume?: string;
  readonly snapshot?: boolean;
  readonly only?: 'put' | 'delete';
  readonly returnPrevious?: boolean;
  readonly keysOnly?: boolean;
  readonly progress?: boolean;
  readonly count?: number;
}

export function registerWatchCommand(program: Command): void {
  const command = program
    .command('watch')
    .description(
      'Show the changes of a key, a prefix or a range as they happen, until interrupted: in order, none missing, none twice, ' +
        'over any number of lost connections.',
    )
    .addArgument(new Argument('[key]', 'the key; or else --prefix, or --start and --end; default: all keys'));
  addSelectionOptions(command)
    .option('--revision <n>', 'begin with the changes of this revision; default: those from now on', revisionNumber)
    .option('--snapshot', 'begin with the keys as they are')
    .option('--resume <token>', 'go on just after the message with this token, which --output json shows')
    .addOption(new Option('--only <type>', 'only changes of this type').choices(['put', 'delete']))
    .option('--return-previous', 'show also how keys were before')
    .option('--keys-only', 'leave the values out')
    .option('--progress', 'show also up to which revision everything was shown, while nothing happens')
    .option('--count <n>', 'end after so many changes', wholeNumber(1, Number.MAX_SAFE_INTEGER));
  addClientOptions(command).action(async (key: string | undefined, options: WatchCommandOptions) => {
    const keys = keysOf(key, options);
    if (keys === undefined) return command.error('error: give at most one of KEY, --prefix, and --start and --end');
    const beginnings = [options.revision, options.resume, options.snapshot].filter((it) => it !== undefined);
    if (beginnings.length > 1) return command.error('error: give at most one of --revision, --resume and --snapshot');
    await runVerb(options, async (context) => {
      const watch = await context.client.watch(keys, watchOptionsOf(options));
      const forget = onInterrupt(() => {
        watch.cancel();
      });
      await show(context, watch, options);
      forget();
      return exitCode.ok;
    });
  });
}

/** What the arguments select; `undefined` if they contradict each other. */
export function keysOf(key: string | undefined, options: SelectionOptions): string | Selection | undefined {
  const selection = selectionOf(options);
  if (key === undefined) return selection;
  return selection?.kind === 'all' ? key : undefined;
}

function watchOptionsOf(options: WatchCommandOptions): WatchOptions {
  const { revision, resume, snapshot, only, returnPrevious, keysOnly } = options;
  const omit: readonly KeyEvent['type'][] | undefined =
    only === undefined ? undefined : [only === 'put' ? 'delete' : 'put'];
  return given({ startRevision: revision, resumeToken: resume, snapshot, omit, returnPrevious, keysOnly });
}

/** Writes messages as they come, until the watch ends or enough changes were shown. */
async function show({ json, write }: VerbContext, watch: Watch, options: WatchCommandOptions): Promise<void> {
  let left = options.count ?? Number.MAX_SAFE_INTEGER;
  for await (const message of watch) {
    if (message.kind === 'progress' && options.progress !== true) continue;
    const shown = message.kind === 'events' ? { ...message, events: message.events.slice(0, left) } : message;
    const lines = json ? [toJson(messageToJson(shown))] : messageLines(shown);
    if (lines.length > 0) await write(`${lines.join('\n')}\n`);
    if (message.kind === 'events') left -= message.events.length;
    if (left <= 0) return;
  }
}

function messageToJson({ resumeToken, revision, ...content }: WatchMessage): object {
  const where = { revision, resumeToken };
  switch (content.kind) {
    case 'snapshot':
      return { snapshot: content.kvs.map(keyValueToJson), complete: content.isComplete, ...where };
    case 'events':
      return { events: content.events.map(eventToJson), partial: content.isPartial, ...where };
    case 'progress':
      return { progress: true, ...where };
  }
}

function messageLines(message: WatchMessage): readonly string[] {
  switch (message.kind) {
    case 'snapshot':
      return message.kvs.map((kv) => line('is', kv));
    case 'events':
      return message.events.flatMap(({ type, kv, previous }) => [
        line(type, kv),
        ...(previous === undefined ? [] : [line('before', previous)]),
      ]);
    case 'progress':
      return [`up to ${String(message.revision)}`];
  }
}

function line(word: string, kv: KeyValue): string {
  const value = kv.value === undefined ? '' : `  ${valueForTerminal(kv.value)}`;
  return `${word.padEnd(6)}  ${String(kv.modRevision)}  ${escapeControls(kv.key)}${value}`;
}

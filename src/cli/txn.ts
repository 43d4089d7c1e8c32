/** `quorate txn`: a transaction from a file or standard input. */
import { createReadStream } from 'node:fs';
import type { Command } from 'commander';
import type { OperationAnswer, Transaction, TxnAnswer } from '../client';
import { given, requestIdOption } from './arguments';
import { addClientOptions, runVerb, type ClientCommandOptions } from './client-command';
import { exitCode } from './exit-code';
import { escapeControls, keyValueToJson, plural, previousToJson, toJson, valueForTerminal } from './format';
import { parseTxnJson } from './txn/json';
import { parseTxn } from './txn/parse';
import { readAll } from './value-source';

interface TxnOptions extends ClientCommandOptions {
  readonly requestId?: string;
}

const language = `
The text of a transaction:
  if                              none: the conditions hold
    absent a                      exists KEY, absent KEY
    mod-revision b = 7            version, create-revision, mod-revision, value, lease
    value prefix c/ != "x y"      of a key, prefix TEXT, range START END or all; with = != > <
  then                            done if all conditions hold
    put a 1 ttl=30s previous      put KEY VALUE [ttl=DURATION] [lease=ID] [keep-lease] [previous]
    get b                         get KEY
    list prefix c/ limit=10       list SELECTION [limit=N] [keys-only] [count-only]
    del d                         del KEY [previous], del SELECTION
  else                            done if one does not
    get a
Words with spaces are quoted as in JSON; bytes are base64"AAEC". Text that begins with { is read as JSON: docs/cli.md.`;

export function registerTxnCommand(program: Command): void {
  const command = program
    .command('txn')
    .description(
      'Do one of two lists of operations, at one revision and all of it, depending on conditions. Exits with 1 if they do ' +
        'not hold.',
    )
    .argument('[file]', 'where it is written; - or nothing: standard input', '-')
    .addOption(requestIdOption())
    .addHelpText('after', language);
  addClientOptions(command).action(async (file: string, options: TxnOptions) => {
    await runVerb(options, async ({ client, json, write }) => {
      const transaction = parse(await textOf(file));
      const answer = await client.commit(transaction, given({ requestId: options.requestId }));
      await write(json ? `${toJson(answerToJson(answer))}\n` : `${answerLines(answer).join('\n')}\n`);
      return answer.succeeded ? exitCode.ok : exitCode.negative;
    });
  });
}

async function textOf(file: string): Promise<string> {
  const bytes =
    file === '-' ? await readAll(process.stdin, 'standard input') : await readAll(createReadStream(file), file);
  return bytes.toString('utf8');
}

/** @throws QuorateError `invalid-argument` */
function parse(text: string): Transaction {
  return text.trimStart().startsWith('{') ? parseTxnJson(text) : parseTxn(text);
}

function answerToJson({ succeeded, results, revision, replayed }: TxnAnswer): object {
  return { succeeded, results: results.map(resultToJson), revision, replayed };
}

function resultToJson(result: OperationAnswer): object {
  switch (result.kind) {
    case 'put': {
      const { createRevision, version, previous, leaseId } = result;
      const lease = leaseId === undefined ? {} : { leaseId };
      return { kind: 'put', createRevision, version, ...lease, ...previousToJson(previous) };
    }
    case 'get':
      return {
        kind: 'get',
        found: result.kv !== undefined,
        kv: result.kv === undefined ? null : keyValueToJson(result.kv),
      };
    case 'list':
      return { ...result, kvs: result.kvs.map(keyValueToJson) };
    case 'delete':
      return { kind: 'delete', deleted: result.deleted, ...previousToJson(result.previous) };
    case 'delete-range':
      return result;
    case 'txn':
      return { ...result, results: result.results.map(resultToJson) };
  }
}

/** What happened, for people: a line for the whole, and one or more for each operation. */
export function answerLines({ succeeded, results, revision }: TxnAnswer): readonly string[] {
  const which = succeeded ? 'The conditions hold' : 'The conditions do not hold';
  return [`${which}, revision ${String(revision)}`, ...results.flatMap((result) => resultLines(result, '  '))];
}

function resultLines(result: OperationAnswer, indent: string): readonly string[] {
  switch (result.kind) {
    case 'put':
      return [`${indent}put: version ${String(result.version)}${before(result.previous?.value)}`];
    case 'get':
      return [`${indent}get: ${result.kv === undefined ? 'not there' : valueForTerminal(result.kv.value)}`];
    case 'list': {
      const kvs = result.kvs.map(({ key, value }) => `${indent}  ${escapeControls(key)}  ${valueForTerminal(value)}`);
      return [`${indent}list: ${plural(result.count, 'key')}`, ...kvs];
    }
    case 'delete':
      return [`${indent}del: ${result.deleted ? 'deleted' : 'not there'}${before(result.previous?.value)}`];
    case 'delete-range':
      return [`${indent}del: ${plural(result.deleted, 'key')} deleted`];
    case 'txn': {
      const which = result.succeeded ? 'the conditions hold' : 'the conditions do not hold';
      return [`${indent}txn: ${which}`, ...result.results.flatMap((inner) => resultLines(inner, `${indent}  `))];
    }
  }
}

function before(value: string | Uint8Array | undefined): string {
  return value === undefined ? '' : `, before: ${valueForTerminal(value)}`;
}

/** What all verbs that talk to a cluster have in common: options, output, errors, exit codes. */
import { once } from 'node:events';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { parseEndpoint, QuorateClient, QuorateError, type ClientOptions } from '../client';
import { wholeNumber } from './arguments';
import { addTlsOptions, clientTlsOf, withFileNames, type ClientTlsFlags } from './client-tls';
import { exitCode, exitCodeOf } from './exit-code';
import { toJson } from './format';
import { exitWithUsage } from './usage';

/** The options every such verb has. */
export interface ClientCommandOptions extends ClientTlsFlags {
  readonly endpoints: readonly string[];
  readonly timeout: number;
  readonly output: 'table' | 'json';
}

/** What a verb's work gets. */
export interface VerbContext {
  readonly client: QuorateClient;
  readonly json: boolean;
  /** Writes to standard output, no faster than it is read. */
  readonly write: (text: string | Uint8Array) => Promise<void>;
}

/** What `--timeout` bounds, and its default. */
export interface TimeoutMeaning {
  readonly meaning: string;
  readonly defaultMs: number;
}

const callTimeout: TimeoutMeaning = { meaning: 'time for each call, with all its attempts', defaultMs: 5_000 };

/** Adds the options that every verb with a client has, and the exit code of a usage error. */
export function addClientOptions(command: Command, timeout: TimeoutMeaning = callTimeout): Command {
  return addOutputOption(
    addTlsOptions(
      exitWithUsage(command)
        .addOption(
          new Option(
            '--endpoints <list>',
            'members to talk to, host:port or https://host:port, separated by commas; tried in this order',
          )
            .env('QUORATE_ENDPOINTS')
            .default(['127.0.0.1:2379'], '127.0.0.1:2379')
            .argParser(parseEndpoints),
        )
        .addOption(
          new Option('--timeout <ms>', `${timeout.meaning}, in milliseconds, 1 to 3600000`)
            .env('QUORATE_TIMEOUT')
            .default(timeout.defaultMs)
            .argParser(wholeNumber(1, 3_600_000)),
        ),
    ),
  );
}

/** Adds the option that says for whom the answer is. */
export function addOutputOption(command: Command): Command {
  return command.addOption(
    new Option('--output <format>', 'table (for people) or json (for programs)')
      .env('QUORATE_OUTPUT')
      .choices(['table', 'json'])
      .default('table'),
  );
}

/** A comma-separated list of endpoints; `http://` and `https://` stay. */
export function parseEndpoints(text: string): readonly string[] {
  const parts = text.split(',').filter((part) => part.trim() !== '');
  if (parts.length === 0) throw new InvalidArgumentError('Name at least one endpoint, host:port.');
  try {
    return parts.map((part) => (/^ *https?:\/\//.exec(part)?.[0].trim() ?? '') + parseEndpoint(part));
  } catch (error) {
    throw new InvalidArgumentError(error instanceof QuorateError ? `${error.message}.` : String(error));
  }
}

/**
 * Runs the work of a verb: makes the client, prints an error if there is one, sets the exit code, closes everything.
 *
 * @param work gives the exit code
 */
export async function runVerb(
  options: ClientCommandOptions,
  work: (context: VerbContext) => Promise<number>,
): Promise<void> {
  const json = options.output === 'json';
  quietWhenReaderLeaves();
  let client: QuorateClient | undefined;
  try {
    client = newClient(options, { endpoints: options.endpoints, timeoutMs: options.timeout });
    process.exitCode = await work({ client, json, write: writeOut });
  } catch (error) {
    process.stderr.write(`${errorText(error, json)}\n`);
    process.exitCode = exitCodeOf(error);
  } finally {
    client?.close();
  }
}

/**
 * A client that speaks TLS as the command line says.
 *
 * @throws QuorateError `invalid-argument`
 */
export function newClient(options: ClientCommandOptions, others: Omit<ClientOptions, 'tls'>): QuorateClient {
  const tls = clientTlsOf(options, options.endpoints);
  try {
    return new QuorateClient({ ...others, tls });
  } catch (error) {
    throw withFileNames(error, options);
  }
}

/** An error for standard error: a sentence, or one line of JSON. */
export function errorText(error: unknown, json: boolean): string {
  if (!(error instanceof QuorateError)) {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return json
      ? toJson({ error: { code: 'bug', outcome: 'unknown', message: detail } })
      : `This is a bug in quorate: ${detail}`;
  }
  const { code, outcome, message, details } = error;
  if (json)
    return toJson({ error: { code, outcome, message, ...(Object.keys(details).length === 0 ? {} : { details }) } });
  const consequence =
    outcome === 'unknown' ? ' It may have been done, or may still be: look before you repeat it.' : '';
  return `error: ${message} (${code}).${consequence}`;
}

/** `quorate list | head` is no error: when the reader goes, so do we. */
function quietWhenReaderLeaves(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? exitCode.ok : exitCode.bug);
  });
}

async function writeOut(text: string | Uint8Array): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, 'drain');
}

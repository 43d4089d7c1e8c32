/** Finds the value of each option: flag, then `QUORATE_*`, then the YAML file, then the default; and checks them. */
import { readFileSync } from 'node:fs';
import { isMap, isScalar, isSeq, parseDocument } from 'yaml';
import { variableOf } from '../base/names';
import { type OptionSpec, refusal } from './option-spec';
import { optionList, optionTable, type ServeOptions } from './options';
import { checkTls } from './tls-options';

/** Where values come from. */
export interface OptionSources {
  /** Values of the flags given, by flag name without dashes. */
  readonly flags: Readonly<Record<string, string | undefined>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `--config`, or else `QUORATE_CONFIG`; `undefined` when there is no file. */
  readonly configFile: string | undefined;
}

/** A value as it was written, and where. */
interface Found {
  readonly text: string;
  /** For errors: `--name`, `QUORATE_NAME` or `name in FILE`. */
  readonly source: string;
}

/**
 * Reads and checks all options. Variables that merely begin with `QUORATE_` are left alone: Kubernetes makes some
 * (`QUORATE_SERVICE_HOST`) for every Service of that name.
 *
 * @throws QuorateError `refused-to-start` that names the option, its source, what is allowed and what was found
 */
export function readOptions(sources: OptionSources): ServeOptions {
  const file = sources.configFile === undefined ? new Map<string, Found>() : readFile(sources.configFile);
  const values = optionList.map(([key, spec]) => [key, valueOf(spec, find(spec.flag, sources, file))] as const);
  const options = Object.fromEntries(values) as unknown as ServeOptions;
  checkTogether(options);
  return options;
}

function find(flag: string, sources: OptionSources, file: ReadonlyMap<string, Found>): Found | undefined {
  const fromFlag = sources.flags[flag];
  if (fromFlag !== undefined) return { text: fromFlag, source: `--${flag}` };
  const fromEnv = sources.env[variableOf(flag)];
  if (fromEnv !== undefined) return { text: fromEnv, source: variableOf(flag) };
  return file.get(flag);
}

function valueOf(spec: OptionSpec<unknown>, found: Found | undefined): unknown {
  if (found === undefined) {
    if (spec.whenAbsent !== 'required') return spec.default;
    throw refusal(
      spec.flag,
      `--${spec.flag} (${variableOf(spec.flag)}) is required: ${spec.help}`,
      spec.kind.limit,
      'nothing',
    );
  }
  const value = spec.kind.parse(found.text);
  if (value !== undefined) return value;
  const message = `${found.source} is "${found.text}"; allowed is ${spec.kind.limit}`;
  throw refusal(spec.flag, message, spec.kind.limit, found.text);
}

function readFile(path: string): ReadonlyMap<string, Found> {
  const document = parseDocument(readText(path));
  const [problem] = document.errors;
  if (problem !== undefined) throw refusal('config', `the file ${path} is not YAML: ${problem.message}`, 'YAML', path);
  const values = new Map<string, Found>();
  const root: unknown = document.contents;
  if (root === null) return values;
  if (!isMap(root)) throw refusal('config', `the file ${path} must hold "option: value" lines`, 'a map', path);
  const known = new Set(optionList.map(([, spec]) => spec.flag));
  for (const { key, value } of root.items) {
    const flag = isScalar(key) ? String(key.value) : '?';
    const source = `${flag} in ${path}`;
    if (!known.has(flag))
      throw refusal(flag, `${source} is no option of quorate; see quorate serve --help`, 'a known name', flag);
    values.set(flag, { text: yamlText(value, source), source });
  }
  return values;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw refusal('config', `the file of --config cannot be read: ${why}`, 'a readable file', path);
  }
}

/** A scalar as it was written; a list of scalars as a comma list. */
function yamlText(value: unknown, source: string): string {
  if (isScalar(value) && value.value !== null) return value.source ?? JSON.stringify(value.value);
  if (isSeq(value)) return value.items.map((item) => yamlText(item, source)).join(',');
  throw refusal(source, `${source} must be a single value or a list`, 'a value or a list', 'something else');
}

/** Checks that need more than one option. */
function checkTogether(options: ServeOptions): void {
  const { heartbeatIntervalMs, electionTimeoutMs, maxUncommittedBytes, maxKeyBytes, maxValueBytes } = options;
  if (electionTimeoutMs < 3 * heartbeatIntervalMs) {
    const limit = `at least three heartbeat intervals, ${String(3 * heartbeatIntervalMs)} ms`;
    const actual = `${String(electionTimeoutMs)} ms`;
    throw refusal('election-timeout', `--election-timeout is ${actual}; it must be ${limit}`, limit, actual);
  }
  if (maxUncommittedBytes < maxKeyBytes + maxValueBytes) {
    const limit = `at least one largest key and value, ${String(maxKeyBytes + maxValueBytes)} bytes`;
    const actual = `${String(maxUncommittedBytes)} bytes`;
    throw refusal('max-uncommitted-bytes', `--max-uncommitted-bytes is ${actual}; it must be ${limit}`, limit, actual);
  }
  checkBeginning(options);
  checkListeners(options);
  checkTls(options);
}

/** Each listener has its address. */
function checkListeners(options: ServeOptions): void {
  const { clientListen, peerListen, metricsListen } = optionTable;
  const listeners = [
    { flag: clientListen.flag, address: options.clientListen },
    { flag: peerListen.flag, address: options.peerListen },
    { flag: metricsListen.flag, address: options.metricsListen },
  ];
  for (const [at, { flag, address }] of listeners.entries()) {
    const other = listeners.slice(0, at).find((earlier) => earlier.address === address);
    if (other === undefined || address === undefined) continue;
    const message = `--${flag} and --${other.flag} are both ${address}; they must differ`;
    throw refusal(flag, message, 'an address of its own', address);
  }
}

/** A member begins in one way. */
function checkBeginning({ initialMembers, join, forceNewCluster }: ServeOptions): void {
  const given = [
    ...(initialMembers === undefined ? [] : ['--initial-members']),
    ...(join === undefined ? [] : ['--join']),
    ...(forceNewCluster ? ['--force-new-cluster'] : []),
  ];
  if (given.length <= 1) return;
  const message = `${given.join(' and ')} exclude each other: a member begins in one way`;
  throw refusal(given.at(-1)?.slice(2) ?? '', message, 'one of them', given.join(', '));
}

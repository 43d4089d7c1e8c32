/** Finds the value of each option: flag, then `QUORATE_*`, then the YAML file, then the default; and checks them. */
import { variableOf } from '../base/names';
import type { ConfigFile, Found } from './config-file';
import { type OptionSpec, refusal } from './option-spec';
import { optionList, optionTable, type ServeOptions } from './options';
import { checkTls } from './tls-options';

/** Where values come from. */
export interface OptionSources {
  /** Values of the flags given, by flag name without dashes. */
  readonly flags: Readonly<Record<string, string | undefined>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What `--config`, or else `QUORATE_CONFIG`, holds (`readConfigFile`); `undefined` when there is no file. */
  readonly configFile: ConfigFile | undefined;
}

/**
 * Reads and checks all options. Variables that merely begin with `QUORATE_` are left alone: Kubernetes makes some
 * (`QUORATE_SERVICE_HOST`) for every Service of that name.
 *
 * @throws QuorateError `refused-to-start` that names the option, its source, what is allowed and what was found
 */
export function readOptions(sources: OptionSources): ServeOptions {
  const values = optionList.map(([key, spec]) => [key, valueOf(spec, find(spec.flag, sources))] as const);
  const options = Object.fromEntries(values) as unknown as ServeOptions;
  checkTogether(options);
  return options;
}

function find(flag: string, sources: OptionSources): Found | undefined {
  const fromFlag = sources.flags[flag];
  if (fromFlag !== undefined) return { text: fromFlag, source: `--${flag}` };
  const fromEnv = sources.env[variableOf(flag)];
  if (fromEnv !== undefined) return { text: fromEnv, source: variableOf(flag) };
  return sources.configFile?.get(flag);
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

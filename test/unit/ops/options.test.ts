/** Options: where values come from, and how wrong ones are refused. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { QuorateError } from '../../../src/base/error';
import { variableOf } from '../../../src/base/names';
import { type ConfigFile, readConfigFile } from '../../../src/ops/config-file';
import { helpOf, optionList, optionTable } from '../../../src/ops/options';
import { type OptionSources, readOptions } from '../../../src/ops/read-options';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'quorate-options-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

const read = (sources: Partial<OptionSources>) =>
  readOptions({ flags: { name: 'm1' }, env: {}, configFile: undefined, ...sources });

const refusal = (sources: Partial<OptionSources>) => refusalOf(() => read(sources));

function refusalOf(reads: () => unknown): QuorateError {
  try {
    reads();
  } catch (error) {
    if (error instanceof QuorateError) return error;
    throw error;
  }
  throw new Error('the options should have been refused');
}

function file(yaml: string): ConfigFile {
  const path = join(directory, 'quorate.yaml');
  writeFileSync(path, yaml);
  return readConfigFile(path);
}

describe('precedence', () => {
  it('takes the flag, then the variable, then the file, then the default', () => {
    const configFile = file('request-timeout: 300\n');
    const env = { QUORATE_REQUEST_TIMEOUT: '200' };
    const flags = { name: 'm1', 'request-timeout': '100' };
    expect(read({ flags, env, configFile }).requestTimeoutMs).toBe(100);
    expect(read({ env, configFile }).requestTimeoutMs).toBe(200);
    expect(read({ configFile }).requestTimeoutMs).toBe(300);
    expect(read({}).requestTimeoutMs).toBe(5000);
  });

  it('leaves variables alone that only begin alike, as Kubernetes makes them', () => {
    expect(read({ env: { QUORATE_SERVICE_HOST: '10.0.0.1', QUORATE_PORT: 'tcp://10.0.0.1:2379' } }).name).toBe('m1');
  });
});

describe('the YAML file', () => {
  it('gives scalars and lists; comments and an empty file are fine', () => {
    const configFile = file(
      '# ours\nname: m1\ninitial-members:\n  - m1=a:1/a:2\n  - m2=b:1/b:2\nelection-timeout: 900\n',
    );
    const options = read({ flags: {}, configFile });
    expect(options.initialMembers?.map(({ name }) => name)).toEqual(['m1', 'm2']);
    expect(options.electionTimeoutMs).toBe(900);
    expect(read({ configFile: file('') }).name).toBe('m1');
  });

  it('takes a name that looks like a number as it is written', () => {
    expect(read({ flags: {}, configFile: file('name: 007\n') }).name).toBe('007');
  });

  it.each([
    ['an unknown key', 'electon-timeout: 5\n', /electon-timeout in .*quorate.yaml is no option/],
    [
      'a bad value',
      'election-timeout: soon\n',
      /election-timeout in .*quorate.yaml is "soon"; allowed is 50 to 60000 ms/,
    ],
    ['a map as a value', 'name: {a: 1}\n', /name in .* must be a single value or a list/],
    ['an empty value', 'name:\n', /name in .* must be a single value or a list/],
    ['a list at the top', '- a\n', /must hold "option: value" lines/],
    ['broken YAML', 'a: [\n', /is not YAML/],
    ['a key given twice', 'name: a\nname: b\n', /is not YAML/],
  ])('refuses %s, naming the place', (_, yaml, message) => {
    expect(refusalOf(() => read({ configFile: file(yaml) })).message).toMatch(message);
  });

  it('refuses a file that cannot be read', () => {
    const none = join(directory, 'none.yaml');
    expect(refusalOf(() => readConfigFile(none)).message).toMatch(/cannot be read: .*ENOENT/);
  });
});

describe('checks', () => {
  it('requires a name', () => {
    expect(refusal({ flags: {} }).message).toMatch(/--name \(QUORATE_NAME\) is required/);
  });

  it.each([
    ['request-timeout', '9'],
    ['request-timeout', '600001'],
    ['request-timeout', '1e3'],
    ['request-timeout', '-5'],
    ['request-timeout', ''],
    ['client-listen', 'localhost'],
    ['client-listen', 'localhost:0'],
    ['client-listen', 'localhost:65536'],
    ['client-listen', '::1:2379'],
    ['name', 'a,b'],
    ['name', '../x'],
    ['initial-members', 'm1=a:1'],
    ['initial-members', 'm1=a:1/a:2,'],
    ['log-level', 'verbose'],
    ['peer-address-template', 'host:2380'],
  ])('refuses --%s %s, naming option, source, limit and value', (flag, value) => {
    const error = refusal({ flags: { name: 'm1', [flag]: value } });
    expect(error.code).toBe('refused-to-start');
    expect(error.details).toMatchObject({ field: flag, actual: value });
    expect(error.message).toContain(`--${flag} is "${value}"`);
    expect(error.message).toContain(error.details.limit);
  });

  it('names the variable when the value came from there', () => {
    expect(refusal({ env: { QUORATE_LOG_LEVEL: 'loud' } }).message).toMatch(/^QUORATE_LOG_LEVEL is "loud"/);
  });

  it('takes every address form', () => {
    for (const address of ['a:1', 'a-b.c_d:65535', '[::1]:2379', '0.0.0.0:80']) {
      expect(read({ flags: { name: 'm1', 'client-listen': address } }).clientListen).toBe(address);
    }
  });

  it('wants an election timeout of at least three heartbeats', () => {
    const error = refusal({ flags: { name: 'm1', 'election-timeout': '299' } });
    expect(error.message).toBe('--election-timeout is 299 ms; it must be at least three heartbeat intervals, 300 ms');
    expect(read({ flags: { name: 'm1', 'election-timeout': '300' } }).electionTimeoutMs).toBe(300);
  });

  it('wants room for one largest write among the uncommitted bytes', () => {
    const flags = { name: 'm1', 'max-value-bytes': '2000000', 'max-uncommitted-bytes': '1500000' };
    expect(refusal({ flags }).details.field).toBe('max-uncommitted-bytes');
  });

  it.each([
    [{ join: 'a:1,b:2', 'initial-members': 'm1=a:1/a:2' }],
    [{ join: 'a:1', 'force-new-cluster': 'true' }],
    [{ 'initial-members': 'm1=a:1/a:2', 'force-new-cluster': 'true' }],
  ])('wants one way to begin: %j', (flags) => {
    expect(refusal({ flags: { name: 'm1', ...flags } }).message).toMatch(/exclude each other/);
  });

  it('takes a list of members to join through', () => {
    expect(read({ flags: { name: 'm1', join: 'a:1, [::1]:2' } }).join).toEqual(['a:1', '[::1]:2']);
    expect(refusal({ flags: { name: 'm1', join: 'a:1,b' } }).details.field).toBe('join');
  });

  it('wants listeners that differ', () => {
    expect(refusal({ flags: { name: 'm1', 'peer-listen': '127.0.0.1:2379' } }).details.field).toBe('peer-listen');
    const metrics = refusal({ flags: { name: 'm1', 'metrics-listen': '127.0.0.1:2380' } });
    expect(metrics.message).toBe('--metrics-listen and --peer-listen are both 127.0.0.1:2380; they must differ');
  });
});

describe('options of TLS', () => {
  const given = (...flags: readonly string[]) =>
    Object.fromEntries([['name', 'm1'], ...flags.map((flag) => [flag, `${flag}.pem`])]) as Record<string, string>;
  const client = ['client-cert-file', 'client-key-file'];
  const peer = ['peer-cert-file', 'peer-key-file', 'peer-ca-file'];

  it('are taken together', () => {
    expect(read({ flags: given(...client, 'client-ca-file', ...peer) }).clientCaFile).toBe('client-ca-file.pem');
    expect(read({ flags: given(...client) }).peerCertFile).toBeUndefined();
    const flags = { ...given(...peer), 'peer-allowed-names': '*.quorate.svc, member a' };
    expect(read({ flags }).peerAllowedNames).toEqual(['*.quorate.svc', 'member a']);
  });

  it.each([
    [['client-cert-file'], 'client-key-file'],
    [['client-key-file'], 'client-cert-file'],
    [['client-ca-file'], 'client-cert-file'],
    [['peer-cert-file'], 'peer-key-file'],
    [['peer-cert-file', 'peer-key-file'], 'peer-ca-file'],
    [['peer-key-file', 'peer-ca-file'], 'peer-cert-file'],
    [['peer-ca-file'], 'peer-cert-file'],
    [['peer-allowed-names'], 'peer-cert-file'],
  ])('of which %j are given want --%s, by its name', (flags, missing) => {
    const error = refusal({ flags: given(...flags) });
    expect(error.details.field).toBe(missing);
    expect(error.message).toBe(`--${missing} is missing: --${flags[0]} is given, which needs it`);
  });

  it('refuse an empty name', () => {
    expect(refusal({ flags: { ...given(...peer), 'peer-allowed-names': 'a,,b' } }).details.field).toBe(
      'peer-allowed-names',
    );
  });
});

describe('the table', () => {
  it('gives every option a default within its own limits, or says what its absence means', () => {
    for (const [, spec] of optionList) {
      if (spec.default === undefined) expect(spec.whenAbsent).toBeDefined();
      else expect(spec.kind.parse(String(spec.default as string | number))).toBe(spec.default);
    }
  });

  it('gives flags and variables that are unique', () => {
    const flags = optionList.map(([, { flag }]) => flag);
    expect(new Set(flags).size).toBe(flags.length);
    expect(variableOf('max-key-bytes')).toBe('QUORATE_MAX_KEY_BYTES');
  });

  it('tells unit, range and default in the help', () => {
    expect(helpOf(optionTable.electionTimeoutMs)).toContain(
      '50 to 60000 ms; default: 1000; env: QUORATE_ELECTION_TIMEOUT',
    );
  });
});

/** The YAML file that holds options. Loading what reads it takes a member as long as a twentieth of its start. */
import { readFileSync } from 'node:fs';
import { isMap, isScalar, isSeq, parseDocument } from 'yaml';
import { refusal } from './option-spec';
import { optionList } from './options';

/** A value as it was written, and where. */
export interface Found {
  readonly text: string;
  /** For errors: `--name`, `QUORATE_NAME` or `name in FILE`. */
  readonly source: string;
}

/** What a file says, by flag name without dashes. */
export type ConfigFile = ReadonlyMap<string, Found>;

/**
 * Reads a file of `option: value` lines.
 *
 * @throws QuorateError `refused-to-start` that names the file, and the option in it, and what is allowed
 */
export function readConfigFile(path: string): ConfigFile {
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

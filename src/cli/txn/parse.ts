/** Transactions as people write them. The language is described in docs/cli.md. */
import {
  op,
  when,
  type Condition,
  type Operation,
  type Operator,
  type Selection,
  type Transaction,
} from '../../client';
import { duration, leaseId } from '../arguments';
import { parsed, WordReader, wordsOf, wrongText } from './words';

type Section = 'if' | 'then' | 'else';

const sections: readonly Section[] = ['if', 'then', 'else'];

/**
 * Reads a transaction: sections `if`, `then` and `else`, each a line of its own, with one condition or operation on each
 * line below.
 *
 * @throws QuorateError `invalid-argument` naming the line
 */
export function parseTxn(text: string): Transaction {
  const conditions: Condition[] = [];
  const lists: Readonly<Record<'then' | 'else', Operation[]>> = { then: [], else: [] };
  let section: Section | undefined;
  text.split('\n').forEach((line, index) => {
    const place = `line ${String(index + 1)}`;
    const words = wordsOf(line, place);
    if (words.length === 0) return;
    const reader = new WordReader(words, place);
    const next = reader.keyword(...sections);
    if (next !== undefined) {
      if (section !== undefined && sections.indexOf(next) <= sections.indexOf(section)) {
        throw wrongText(place, `'${next}' cannot follow '${section}'`);
      }
      section = next;
    } else if (section === undefined) {
      throw wrongText(place, "a transaction begins with 'if' or 'then'");
    } else if (section === 'if') {
      conditions.push(conditionOf(reader));
    } else {
      lists[section].push(operationOf(reader));
    }
    reader.end();
  });
  return { conditions, success: lists.then, failure: lists.else };
}

const properties = ['exists', 'absent', 'version', 'create-revision', 'mod-revision', 'value', 'lease'] as const;
const operators: readonly Operator[] = ['=', '!=', '>', '<'];

function conditionOf(reader: WordReader): Condition {
  const property = reader.keyword(...properties);
  if (property === undefined) throw wrongText(reader.place, `a condition begins with one of ${properties.join(', ')}`);
  if (property === 'exists' || property === 'absent') return when[property](reader.text('the key'));
  const keys = selectionIn(reader) ?? reader.text('the key');
  const operator = reader.keyword(...operators);
  if (operator === undefined) throw wrongText(reader.place, `an operator must follow: ${operators.join(' ')}`);
  switch (property) {
    case 'version':
      return when.version(keys, operator, numberIn(reader));
    case 'create-revision':
      return when.createRevision(keys, operator, numberIn(reader));
    case 'mod-revision':
      return when.modRevision(keys, operator, numberIn(reader));
    case 'value':
      return when.value(keys, operator, reader.value('the value'));
    case 'lease':
      return when.lease(keys, operator, BigInt(numberIn(reader)));
  }
}

function operationOf(reader: WordReader): Operation {
  switch (reader.keyword('put', 'get', 'list', 'del')) {
    case 'put':
      return putIn(reader);
    case 'get':
      return op.get(reader.text('the key'));
    case 'list':
      return listIn(reader);
    case 'del': {
      const selection = selectionIn(reader);
      if (selection !== undefined) return op.deleteRange(selection);
      const key = reader.text('the key');
      return op.delete(key, { returnPrevious: reader.keyword('previous') !== undefined });
    }
    case undefined:
      throw wrongText(reader.place, 'an operation begins with put, get, list or del');
  }
}

function putIn(reader: WordReader): Operation {
  const key = reader.text('the key');
  const value = reader.value('the value');
  let options = {};
  for (;;) {
    const option = reader.option('ttl', 'lease');
    const flag = option === undefined ? reader.keyword('keep-lease', 'previous') : undefined;
    if (option?.name === 'ttl') options = { ...options, ttlMs: parsed(reader.place, option.text, duration) };
    else if (option?.name === 'lease') options = { ...options, leaseId: parsed(reader.place, option.text, leaseId) };
    else if (flag === 'keep-lease') options = { ...options, keepLease: true };
    else if (flag === 'previous') options = { ...options, returnPrevious: true };
    else return op.put(key, value, options);
  }
}

function listIn(reader: WordReader): Operation {
  const selection = selectionIn(reader);
  if (selection === undefined) throw wrongText(reader.place, "'all', 'prefix TEXT' or 'range START END' must follow");
  let options = {};
  for (;;) {
    const option = reader.option('limit');
    const flag = option === undefined ? reader.keyword('keys-only', 'count-only') : undefined;
    if (option !== undefined) options = { ...options, limit: parsed(reader.place, option.text, wholeNumberOf) };
    else if (flag === 'keys-only') options = { ...options, keysOnly: true };
    else if (flag === 'count-only') options = { ...options, countOnly: true };
    else return op.list(selection, options);
  }
}

/** `undefined` if a single key follows, not taken. A key of that name is quoted. */
function selectionIn(reader: WordReader): Selection | undefined {
  switch (reader.keyword('all', 'prefix', 'range')) {
    case 'all':
      return { kind: 'all' };
    case 'prefix':
      return { kind: 'prefix', prefix: reader.text('the prefix') };
    case 'range':
      return { kind: 'range', start: reader.text('the start'), end: reader.text('the end') };
    case undefined:
      return undefined;
  }
}

function numberIn(reader: WordReader): number {
  return parsed(reader.place, reader.text('the number'), wholeNumberOf);
}

function wholeNumberOf(text: string): number {
  const value = Number(text);
  if (/^-?\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new Error('It must be a whole number.');
}

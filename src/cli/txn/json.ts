/** Transactions as programs write them: JSON, described in docs/cli.md. */
import {
  op,
  when,
  type Condition,
  type Operation,
  type Operator,
  type Selection,
  type Transaction,
} from '../../client';
import { duration, given, leaseId } from '../arguments';
import { parsed, wrongText } from './words';

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads a transaction: `{"if":[CONDITION,...],"then":[OPERATION,...],"else":[OPERATION,...]}`.
 *
 * @throws QuorateError `invalid-argument` naming the place
 */
export function parseTxnJson(text: string): Transaction {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw wrongText('JSON', error instanceof Error ? error.message : String(error));
  }
  return transactionOf(parsed, 'the transaction');
}

function transactionOf(value: unknown, place: string): Transaction {
  const fields = fieldsOf(value, place, ['if', 'then', 'else']);
  return {
    conditions: listOf(fields['if'], `${place}.if`, conditionOf),
    success: listOf(fields['then'], `${place}.then`, operationOf),
    failure: listOf(fields['else'], `${place}.else`, operationOf),
  };
}

const selectionFields = ['prefix', 'range', 'all'];
const targets = ['version', 'createRevision', 'modRevision', 'leaseId', 'text', 'data'] as const;
const operators: readonly Operator[] = ['=', '!=', '>', '<'];

function conditionOf(value: unknown, place: string): Condition {
  const fields = fieldsOf(value, place, ['key', ...selectionFields, 'operator', ...targets]);
  const keys = fields['key'] === undefined ? selectionOf(fields, place) : textOf(fields['key'], `${place}.key`);
  const operator = operators.find((it) => it === (fields['operator'] ?? '='));
  if (operator === undefined) throw wrongText(`${place}.operator`, `must be one of ${operators.join(' ')}`);
  const target = onlyOne(fields, targets, place);
  const at = `${place}.${target}`;
  switch (target) {
    case 'version':
    case 'createRevision':
    case 'modRevision':
      return when[target](keys, operator, numberOf(fields[target], at));
    case 'leaseId':
      return when.lease(keys, operator, parsed(at, textOf(fields['leaseId'], at), BigInt));
    case 'text':
    case 'data':
      return when.value(keys, operator, valueOf(fields, place));
  }
}

const verbs = ['put', 'get', 'list', 'del', 'txn'] as const;
const verbOptions: Readonly<Record<(typeof verbs)[number], readonly string[]>> = {
  put: ['text', 'data', 'ttl', 'leaseId', 'keepLease', 'returnPrevious'],
  get: [],
  list: ['limit', 'keysOnly', 'countOnly'],
  del: ['returnPrevious'],
  txn: [],
};

function operationOf(value: unknown, place: string): Operation {
  const all = fieldsOf(value, place);
  const verb = onlyOne(all, verbs, place);
  const fields = fieldsOf(value, place, [verb, ...verbOptions[verb]]);
  const at = `${place}.${verb}`;
  switch (verb) {
    case 'put':
      return op.put(textOf(fields['put'], at), valueOf(fields, place), {
        ...given({ ttlMs: argumentOf(fields, 'ttl', place, duration) }),
        ...given({ leaseId: argumentOf(fields, 'leaseId', place, leaseId) }),
        keepLease: flagOf(fields, 'keepLease', place),
        returnPrevious: flagOf(fields, 'returnPrevious', place),
      });
    case 'get':
      return op.get(textOf(fields['get'], at));
    case 'list':
      return op.list(selectionOf(fieldsOf(fields['list'], at, selectionFields), at), {
        ...(fields['limit'] === undefined ? {} : { limit: numberOf(fields['limit'], `${place}.limit`) }),
        keysOnly: flagOf(fields, 'keysOnly', place),
        countOnly: flagOf(fields, 'countOnly', place),
      });
    case 'del':
      if (typeof fields['del'] !== 'string')
        return op.deleteRange(selectionOf(fieldsOf(fields['del'], at, selectionFields), at));
      return op.delete(fields['del'], { returnPrevious: flagOf(fields, 'returnPrevious', place) });
    case 'txn':
      return op.txn(transactionOf(fields['txn'], at));
  }
}

function selectionOf(fields: Fields, place: string): Selection {
  switch (onlyOne(fields, ['prefix', 'range', 'all'], place)) {
    case 'prefix':
      return { kind: 'prefix', prefix: textOf(fields['prefix'], `${place}.prefix`) };
    case 'range': {
      const [start, end] = listOf(fields['range'], `${place}.range`, textOf);
      return { kind: 'range', start: start ?? '', end: end ?? '' };
    }
    case 'all':
      return { kind: 'all' };
  }
}

function valueOf(fields: Fields, place: string): string | Uint8Array {
  const form = onlyOne(fields, ['text', 'data'], place);
  const text = textOf(fields[form], `${place}.${form}`);
  return form === 'text' ? text : Buffer.from(text, 'base64');
}

/** The one of these fields that is there. */
function onlyOne<K extends string>(fields: Fields, names: readonly K[], place: string): K {
  const [found, ...others] = names.filter((name) => fields[name] !== undefined);
  if (found !== undefined && others.length === 0) return found;
  throw wrongText(place, `must have exactly one of ${names.join(', ')}`);
}

/** @param known the fields there may be; without them, any */
function fieldsOf(value: unknown, place: string, known?: readonly string[]): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrongText(place, 'must be an object');
  const strange = known === undefined ? undefined : Object.keys(value).find((name) => !known.includes(name));
  if (strange !== undefined) throw wrongText(place, `has a field that is not known there: ${strange}`);
  return value as Fields;
}

function listOf<T>(value: unknown, place: string, read: (item: unknown, place: string) => T): readonly T[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw wrongText(place, 'must be a list');
  return value.map((item: unknown, index) => read(item, `${place}[${String(index)}]`));
}

function textOf(value: unknown, place: string): string {
  if (typeof value === 'string') return value;
  throw wrongText(place, 'must be a string');
}

/** What a parser of arguments makes of a field, if it is there. */
function argumentOf<T>(fields: Fields, name: string, place: string, parse: (text: string) => T): T | undefined {
  const at = `${place}.${name}`;
  return fields[name] === undefined ? undefined : parsed(at, textOf(fields[name], at), parse);
}

function numberOf(value: unknown, place: string): number {
  if (Number.isSafeInteger(value)) return value as number;
  throw wrongText(place, 'must be a whole number');
}

function flagOf(fields: Fields, name: string, place: string): boolean {
  const value = fields[name] ?? false;
  if (typeof value === 'boolean') return value;
  throw wrongText(`${place}.${name}`, 'must be true or false');
}

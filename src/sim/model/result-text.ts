/** Results as text: equal texts for equal results, whoever computed them. */
import { unreachable } from '../../base/assert';
import type { Change, CommandResult, KeyRecord, LeaseInfo, Result } from '../../kv/result';

/** Of each command of an entry, in their order; none for what is no command. */
export type ResultTexts = readonly string[];

/** What an entry gave. */
export function resultTexts(result: Result | undefined): ResultTexts {
  if (result === undefined) return [];
  return result.kind === 'batch' ? result.results.map(resultText) : [resultText(result)];
}

export function resultText(result: CommandResult): string {
  const replayed = result.replayed === true ? ' again' : '';
  return `${result.kind} at ${result.revision}${replayed}: ${contentText(result)}`;
}

function contentText(result: CommandResult): string {
  switch (result.kind) {
    case 'put':
      return `${result.createRevision} v${result.version} was ${recordText(result.previous)}`;
    case 'delete':
      return `${result.deleted} [${result.previous.map(recordText).join(', ')}]`;
    case 'range':
      return `${result.count}${result.more ? '+' : ''} [${result.records.map(recordText).join(', ')}]`;
    case 'txn':
      return `${result.succeeded ? 'then' : 'else'} {${result.results.map(resultText).join('; ')}}`;
    case 'done':
      return result.changed ? 'changed' : 'as it was';
    case 'lease':
      return result.leases.map(({ id, ttl }) => `${id} for ${ttl}`).join(', ');
    case 'refused':
      return `${result.refusal} ${result.limit}`;
    default:
      return unreachable(result);
  }
}

export function recordText(record: KeyRecord | undefined): string {
  if (record === undefined) return 'nothing';
  const { key, value, form, createRevision, modRevision, version, lease } = record;
  return `${latin1(key)}=${latin1(value)} ${form} ${createRevision} ${modRevision} v${version} l${lease}`;
}

export function changeText({ revision, sub, kind, record }: Change): string {
  return `${revision}.${sub} ${kind} ${kind === 'delete' ? latin1(record.key) : recordText(record)}`;
}

export function leaseText({ id, ttl, grantIndex, renewals, renewedAt }: LeaseInfo): string {
  return `${id} for ${ttl} since ${grantIndex} renewed ${renewals} at ${renewedAt}`;
}

/** Bytes as text of one character each, which sorts as they do. */
export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

/** A command without its envelope, as bytes: which kind, then its fields. */
import { assert, unreachable } from '../base/assert';
import type { ByteReader, Refuse } from './byte-reader';
import type { ByteWriter } from './byte-writer';
import type { AlarmKind, LeaseDeadline, PlainCommand } from './command';
import { operationKinds, readOperation, writeOperation } from './operation-codec';

// Operations have the kinds below 16; see operation-codec.ts.
const compactKind = 16;
const grantKind = 17;
const revokeKind = 18;
const renewKind = 19;
const expireKind = 20;
const clockKind = 21;
const alarmKind = 22;
const configureKind = 23;

/** By the byte that stands for them. Never renumbered. */
const alarmKinds: readonly AlarmKind[] = ['no-space', 'corrupt', 'quota'];

const leaseIdBytes = 8;

export function writePlainCommand(writer: ByteWriter, command: PlainCommand): void {
  switch (command.kind) {
    case 'put':
    case 'delete':
    case 'txn':
      writeOperation(writer, command);
      return;
    case 'compact':
      writer.byte(compactKind);
      writer.varint(command.revision);
      return;
    case 'lease-grant':
      writer.byte(grantKind);
      writer.int64(command.id);
      writer.varint(command.ttl);
      return;
    case 'lease-revoke':
      writer.byte(revokeKind);
      writer.int64(command.id);
      return;
    case 'lease-renew':
      writer.byte(renewKind);
      writer.varint(command.ids.length);
      for (const id of command.ids) writer.int64(id);
      return;
    case 'lease-expire':
      writer.byte(expireKind);
      writer.varint(command.term);
      writeDeadlines(writer, command.leases);
      return;
    case 'advance-clock':
      writer.byte(clockKind);
      writer.varint(command.term);
      writer.varint(command.elapsedMs);
      return;
    case 'alarm':
      writer.byte(alarmKind);
      writer.bool(command.action === 'raise');
      writer.byte(alarmKinds.indexOf(command.alarm));
      writer.uint64(command.memberId);
      return;
    case 'configure':
      writer.byte(configureKind);
      writer.bool(command.quotaBytes !== undefined);
      if (command.quotaBytes !== undefined) writer.varint(command.quotaBytes);
      return;
    default:
      unreachable(command);
  }
}

export function readPlainCommand(reader: ByteReader, refuse: Refuse): PlainCommand {
  const kind = reader.byte('kind');
  switch (kind) {
    case operationKinds.put:
    case operationKinds.delete:
    case operationKinds.txn: {
      const operation = readOperation(reader, refuse, kind);
      assert(operation.kind !== 'range', 'a range has a kind of its own');
      return operation;
    }
    case compactKind:
      return { kind: 'compact', revision: reader.varint('revision') };
    case grantKind:
      return readGrant(reader, refuse);
    case revokeKind:
      return { kind: 'lease-revoke', id: reader.int64('lease') };
    case renewKind:
      return { kind: 'lease-renew', ids: readLeaseIds(reader) };
    case expireKind:
      return { kind: 'lease-expire', term: reader.varint('term'), leases: readDeadlines(reader) };
    case clockKind:
      return { kind: 'advance-clock', term: reader.varint('term'), elapsedMs: reader.varint('time') };
    case alarmKind: {
      const action = reader.bool('action') ? 'raise' : 'clear';
      const alarm = alarmKinds[reader.byte('alarm')];
      if (alarm === undefined) throw refuse('its alarm is of a kind that this program does not know');
      return { kind: 'alarm', action, alarm, memberId: reader.uint64('member') };
    }
    case configureKind:
      return { kind: 'configure', quotaBytes: reader.bool('quota') ? reader.varint('quota') : undefined };
    default:
      throw refuse(`it is of kind ${String(kind)}, which this program does not know`);
  }
}

function readGrant(reader: ByteReader, refuse: Refuse): PlainCommand {
  const id = reader.int64('lease');
  const ttl = reader.varint('time to live');
  if (id === 0n) throw refuse('its lease has no id');
  if (ttl === 0) throw refuse('its lease has no time to live');
  return { kind: 'lease-grant', id, ttl };
}

function readLeaseIds(reader: ByteReader): bigint[] {
  const ids: bigint[] = [];
  for (let left = reader.count('leases', leaseIdBytes); left > 0; left--) ids.push(reader.int64('lease'));
  return ids;
}

function writeDeadlines(writer: ByteWriter, leases: readonly LeaseDeadline[]): void {
  writer.varint(leases.length);
  for (const { id, grantIndex, renewals } of leases) {
    writer.int64(id);
    writer.varint(grantIndex);
    writer.varint(renewals);
  }
}

function readDeadlines(reader: ByteReader): LeaseDeadline[] {
  const leases: LeaseDeadline[] = [];
  for (let left = reader.count('leases', leaseIdBytes + 2); left > 0; left--) {
    const id = reader.int64('lease');
    leases.push({ id, grantIndex: reader.varint('grant'), renewals: reader.varint('renewals') });
  }
  return leases;
}

/** The parts of a snapshot transfer to and from their wire form. */
import { crc32 } from 'node:zlib';
import { InstallSnapshotRequest, type SnapshotChunk, type SnapshotHeader } from '../gen/quorate/peer/v1/raft';
import { decodeConfiguration, encodeConfiguration, type MemberId } from '../raft';
import type { SnapshotOffer } from './transport';
import { checkField, decodeWire, encodeWire } from './wire';

/** The largest chunk that is sent, and the largest that is taken. */
export const maxSnapshotChunkBytes = 1024 * 1024;

const sha256Bytes = 32;

/** One message of a transfer: the announcement, or the next bytes. */
export type SnapshotPart =
  | { readonly kind: 'header'; readonly offer: SnapshotOffer }
  | { readonly kind: 'chunk'; readonly offset: number; readonly data: Uint8Array };

export function encodeSnapshotHeader(offer: SnapshotOffer, leaderId: MemberId): Buffer {
  const { term, description, sizeBytes } = offer;
  const { last, configuration } = description;
  const value = {
    term,
    leaderId,
    lastIncludedIndex: last.index,
    lastIncludedTerm: last.term,
    configuration: encodeConfiguration(configuration) as Buffer,
    configurationIndex: configuration.index,
    sizeBytes,
    sha256: offer.sha256 as Buffer,
  };
  return encodeWire(InstallSnapshotRequest, { part: { $case: 'header', value } });
}

export function encodeSnapshotChunk(offset: number, data: Uint8Array): Buffer {
  const value = { offset, data: data as Buffer, crc32: crc32(data) };
  return encodeWire(InstallSnapshotRequest, { part: { $case: 'chunk', value } });
}

/**
 * Reads one message, and checks all that can be checked of it alone.
 *
 * @throws QuorateError `invalid-argument`
 */
export function decodeSnapshotPart(bytes: Uint8Array, from: MemberId): SnapshotPart {
  const { part } = decodeWire(InstallSnapshotRequest, bytes);
  checkField(part !== undefined, 'part', 'present', 'missing or of an unknown kind');
  return part.$case === 'header' ? readHeader(part.value, from) : readChunk(part.value);
}

function readHeader(header: SnapshotHeader, from: MemberId): SnapshotPart {
  const { term, sizeBytes, sha256, configurationIndex } = header;
  const last = { index: header.lastIncludedIndex, term: header.lastIncludedTerm };
  checkField(header.leaderId === from, 'header.leader_id', `${from}, the sender`, header.leaderId);
  checkField(last.index >= 1, 'header.last_included_index', 'at least 1', last.index);
  checkField(last.term >= 1 && last.term <= term, 'header.last_included_term', `in 1 to ${term}`, last.term);
  checkField(
    configurationIndex <= last.index,
    'header.configuration_index',
    `at most ${last.index}`,
    configurationIndex,
  );
  checkField(sizeBytes >= 1, 'header.size_bytes', 'at least 1', sizeBytes);
  checkField(sha256.length === sha256Bytes, 'header.sha256', `${sha256Bytes} bytes`, sha256.length);
  const payload = decodeConfiguration(header.configuration);
  checkField(payload !== undefined, 'header.configuration', 'the payload of a configuration entry', 'something else');
  const description = { last, configuration: { index: configurationIndex, ...payload } };
  return { kind: 'header', offer: { term, description, sizeBytes, sha256 } };
}

function readChunk({ offset, data, crc32: stated }: SnapshotChunk): SnapshotPart {
  const isFilled = data.length >= 1 && data.length <= maxSnapshotChunkBytes;
  checkField(isFilled, 'chunk.data', `1 to ${maxSnapshotChunkBytes} bytes`, data.length);
  const actual = crc32(data);
  checkField(stated === actual, 'chunk.crc32', `${actual}, that of the data`, stated);
  return { kind: 'chunk', offset, data };
}

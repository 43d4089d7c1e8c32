/** Wishes about the members and their answers, as they travel between members. */
import type { ErrorCode } from '../base/error';
import { MembershipRequest, MembershipResult } from '../gen/quorate/peer/v1/membership';
import type { DeskAnswer } from './membership-desk';
import type { Wish } from './membership-plan';

export function encodeWish(wish: Wish): Uint8Array {
  return MembershipRequest.encode({ wish }).finish();
}

/** `undefined` for bytes that no member of ours would send. */
export function decodeWish(payload: Uint8Array): Wish | undefined {
  return decoded(() => MembershipRequest.decode(payload).wish);
}

export function encodeDeskAnswer(answer: Exclude<DeskAnswer, { kind: 'not-leader' }>): Uint8Array {
  return MembershipResult.encode({ result: resultOf(answer) }).finish();
}

/** `undefined` for bytes that no member of ours would send. */
export function decodeDeskAnswer(payload: Uint8Array): DeskAnswer | undefined {
  const result = decoded(() => MembershipResult.decode(payload).result);
  switch (result?.$case) {
    case 'done':
      return { kind: 'done', index: result.value.index };
    case 'refused': {
      const { code, message } = result.value;
      return { kind: 'refused', code: code === 'overloaded' ? code : 'change-refused', message };
    }
    case 'unknown':
      return { kind: 'unknown' };
    case undefined:
      return undefined;
  }
}

function resultOf(answer: Exclude<DeskAnswer, { kind: 'not-leader' }>): MembershipResult['result'] {
  switch (answer.kind) {
    case 'done':
      return { $case: 'done', value: { index: answer.index } };
    case 'refused': {
      const code: ErrorCode = answer.code;
      return { $case: 'refused', value: { code, message: answer.message } };
    }
    case 'unknown':
      return { $case: 'unknown', value: {} };
  }
}

function decoded<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch {
    return undefined;
  }
}

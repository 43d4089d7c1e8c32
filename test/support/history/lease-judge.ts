/** Judges what clients were told of leases: none ends before its holder was promised, none lives on after its end. */
import type { RecordedCall } from './recorded-call';

/** The keys of a lease went without anybody's asking. */
export interface LeaseEnd {
  readonly lease: bigint;
  /** When anybody was first told. */
  readonly at: number;
}

/** Every answer about one lease. */
interface Story {
  readonly promised: RecordedCall[];
  readonly denied: RecordedCall[];
  readonly revoked: RecordedCall[];
  readonly used: RecordedCall[];
}

/** @returns violations of E1, E4 and E6 as sentences */
export function judgeLeases(calls: readonly RecordedCall[], ends: readonly LeaseEnd[]): readonly string[] {
  const stories = storiesOf(calls);
  const early = ends.flatMap(({ lease, at }) => {
    const broken = stories.get(lease)?.promised.find((call) => call.returnedAt < at && at < promisedUntil(call));
    return broken === undefined ? [] : [`E1: lease ${String(lease)} ended at ${String(at)}, ${describe(broken)}`];
  });
  return [...early, ...[...stories].flatMap(([lease, story]) => judgeStory(lease, story))];
}

/** The time counts from when the lease was given, which the call's beginning is not later than. */
function promisedUntil({ invokedAt, lease }: RecordedCall): number {
  return invokedAt + (lease?.ttlMs ?? 0);
}

function judgeStory(lease: bigint, { promised, denied, revoked, used }: Story): readonly string[] {
  const violations: string[] = [];
  const firstRevoke = Math.min(...revoked.filter(({ outcome }) => outcome === 'ok').map((call) => call.returnedAt));
  const firstAttempt = Math.min(...revoked.map((call) => call.invokedAt));
  for (const call of promised) {
    if (call.invokedAt > firstRevoke)
      violations.push(`E4: lease ${String(lease)} was revoked before ${describe(call)}`);
  }
  for (const call of used) {
    if (call.invokedAt > firstRevoke)
      violations.push(`E6: lease ${String(lease)} was revoked before ${describe(call)}`);
  }
  for (const call of denied) {
    if (firstAttempt < call.returnedAt) continue;
    const kept = promised.find((other) => other.returnedAt < call.invokedAt && call.returnedAt < promisedUntil(other));
    if (kept !== undefined)
      violations.push(`E1: lease ${String(lease)} was not there, ${describe(call)}, ${describe(kept)}`);
  }
  return violations;
}

function storiesOf(calls: readonly RecordedCall[]): ReadonlyMap<bigint, Story> {
  const stories = new Map<bigint, Story>();
  const of = (lease: bigint): Story => {
    const story = stories.get(lease) ?? { promised: [], denied: [], revoked: [], used: [] };
    stories.set(lease, story);
    return story;
  };
  for (const call of calls) {
    const { operation, lease, outcome, error } = call;
    const command = operation.kind === 'mutation' ? operation.command : undefined;
    if (outcome === 'ok' && lease !== undefined) {
      const story = of(lease.id);
      (lease.ttlMs === undefined ? story.denied : story.promised).push(call);
    }
    if (command?.kind === 'lease-revoke' && outcome !== 'definite') of(command.id).revoked.push(call);
    if (command?.kind !== 'put' || command.lease === 0n) continue;
    if (outcome === 'ok') of(command.lease).used.push(call);
    if (outcome === 'definite' && error === 'not-found') of(command.lease).denied.push(call);
  }
  return stories;
}

function describe({ id, kind, invokedAt, returnedAt }: RecordedCall): string {
  return `call ${String(id)} (${kind}, ${invokedAt.toFixed(1)} to ${returnedAt.toFixed(1)})`;
}

/** Waits for a member to know a new leader: the end of a transfer, in every API. */
import type { Scheduler } from '../base/clock';
import { QuorateError } from '../base/error';
import type { CallContext, MembershipAuthority } from '../node/call';
import type { ListedMember } from '../node/member-directory';
import type { NodeStatus } from '../node/status';
import type { MemberId } from '../raft';

/** Where a member tells of the leader. */
export interface LeaderSource {
  readonly membership: Pick<MembershipAuthority, 'members'>;
  status(): Pick<NodeStatus, 'leader'>;
  /** The clock of the deadlines. */
  readonly scheduler: Pick<Scheduler, 'now' | 'after'>;
}

/** How often a change of leader is looked for, milliseconds. */
const lookIntervalMs = 10;

/**
 * Waits until this member knows a leader that is `wanted`, and can name it.
 *
 * @throws QuorateError `outcome-unknown` at the deadline: the leadership was handed over, but to whom is not known here
 */
export async function knownLeader(
  source: LeaderSource,
  wanted: (id: MemberId) => boolean,
  { deadline }: CallContext,
): Promise<ListedMember> {
  for (;;) {
    const { leader } = source.status();
    const listed = source.membership.members().find(({ id }) => id === leader);
    if (listed !== undefined && wanted(listed.id)) return listed;
    if (source.scheduler.now() >= deadline) {
      const message = 'leadership was handed over, but this member does not know the new leader yet';
      throw new QuorateError('outcome-unknown', message, { outcome: 'unknown' });
    }
    await new Promise<void>((resolve) => {
      source.scheduler.after(lookIntervalMs, resolve);
    });
  }
}

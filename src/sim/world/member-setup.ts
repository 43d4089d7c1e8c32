/** How the members of a run are set up. */
import type { NodeOptions } from '../../node/options';
import type { ConfigurationPayload, MemberId, RaftOptions } from '../../raft';
import type { Memory } from '../model/requests';
import type { BesideOptions } from './beside-node';

/** What is the same for all members of a run. */
export interface MemberSetup extends BesideOptions {
  /** What it knows when it starts for the first time. */
  readonly configuration: ConfigurationPayload;
  readonly raftOptions: RaftOptions;
  readonly nodeOptions: NodeOptions;
  readonly memory: Memory;
  readonly maxTailBytes: number;
  readonly maxTurnMs: number;
  readonly maxDriftRate: number;
  /** Its clock is as slow as it may be, and every other as fast: all that leases must allow for. */
  readonly slowest: MemberId | undefined;
}

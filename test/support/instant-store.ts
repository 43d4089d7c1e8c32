/** The real state machine in memory without Raft: every command is applied at once. For tests of what services do with it. */
import { required } from '../../src/base/assert';
import { decodeEntry } from '../../src/kv/command-codec';
import type { Command } from '../../src/kv/command';
import type { Result } from '../../src/kv/result';
import { openKvStateMachine } from '../../src/kv/state-machine';
import type { CallContext, Proposer } from '../../src/node/call';

/** Remembers how it was asked. */
export class InstantStore implements Proposer<Result> {
  readonly reader = openKvStateMachine({ path: ':memory:', clusterId: 7n });
  /** The deadlines that came with the calls. */
  readonly deadlines: number[] = [];
  /** What was proposed and applied. */
  readonly commands: Command[] = [];
  barriers = 0;
  /** When set, every proposal and barrier waits for it, and fails with it. */
  behaviour: ((call: CallContext) => Promise<void>) | undefined;

  async propose(payload: Uint8Array, call: CallContext): Promise<Result> {
    this.deadlines.push(call.deadline);
    await this.behaviour?.(call);
    const decoded = decodeEntry(payload);
    this.commands.push(...('requestId' in decoded ? [decoded] : decoded));
    const index = this.reader.appliedIndex + 1;
    const [result] = this.reader.apply([{ index, term: 1, kind: 'command', payload: Buffer.from(payload) }]);
    return required(result, 'a command has a result');
  }

  async readBarrier(call: CallContext): Promise<void> {
    this.barriers++;
    this.deadlines.push(call.deadline);
    await this.behaviour?.(call);
  }
}

/** A development cluster that runs: its processes, and what their members answer. */
import { QuorateClient, QuorateError, type MemberStatus } from '../../client';
import { shellCommand } from '../format';
import { MemberProcess } from './member-process';
import type { DevPlan, MemberPlan } from './plan';
import type { MemberView } from './view';

/** How long a member has to answer a question about its state, in milliseconds. */
const ANSWER_TIMEOUT_MS = 400;
/** How long a member has to stop, more than its own `--drain-timeout`, in milliseconds; then it is ended by force. */
const STOP_GRACE_MS = 15_000;

/** The program that is started for each member: executable, then its first arguments. */
export type Program = readonly [string, ...string[]];

/** Processes and clients of all members. */
export class DevCluster {
  readonly #program: Program;
  readonly #members: readonly { readonly process: MemberProcess; readonly client: QuorateClient }[];

  /** Starts every member. */
  constructor(plan: DevPlan, program: Program) {
    this.#program = program;
    this.#members = plan.members.map((member) => ({
      process: new MemberProcess(member, program),
      client: new QuorateClient({ endpoints: [member.clientAddress], timeoutMs: ANSWER_TIMEOUT_MS, maxAttempts: 1 }),
    }));
  }

  /** Asks every member for its state. A member that does not answer in time has none. Never throws. */
  look(): Promise<MemberView[]> {
    return Promise.all(
      this.#members.map(async ({ process, client }) => {
        const status = await statusOrNothing(client);
        const { name, clientAddress } = process.plan;
        // Whoever answers there under another name is not ours.
        const own = status?.member.name === name ? status : undefined;
        return {
          name,
          clientAddress,
          process: process.state,
          status: own,
          startCommand: this.#startCommand(process.plan),
        };
      }),
    );
  }

  /** How many members have a process that runs. */
  get running(): number {
    return this.#members.filter(({ process }) => process.state.kind === 'running').length;
  }

  get size(): number {
    return this.#members.length;
  }

  /** The last thing each ended member said. */
  lastWords(): { readonly name: string; readonly words: string; readonly logFile: string }[] {
    return this.#members
      .filter(({ process }) => process.state.kind !== 'running')
      .map(({ process }) => ({ name: process.plan.name, words: process.lastWords(), logFile: process.plan.logFile }));
  }

  /** Stops every member that was started here, at the same time. Returns when all are gone. */
  async stop(): Promise<void> {
    await Promise.all(this.#members.map(({ process }) => process.stop(STOP_GRACE_MS)));
    for (const { client } of this.#members) client.close();
  }

  #startCommand(plan: MemberPlan): string {
    return shellCommand([...this.#program, ...plan.serveArguments]);
  }
}

async function statusOrNothing(client: QuorateClient): Promise<MemberStatus | undefined> {
  try {
    return await client.cluster.status();
  } catch (error) {
    if (error instanceof QuorateError) return undefined;
    throw error;
  }
}

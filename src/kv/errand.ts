/** What a leader proposes of its own accord: one command at a time, and no harm done if it fails. */
import type { Clock } from '../base/clock';
import { QuorateError } from '../base/error';
import type { Logger } from '../base/logger';
import type { PlainCommand } from './command';
import { unnamed } from './command-builders';
import { encodeCommand } from './command-codec';
import type { Result } from './result';

/** What proposes; a node, for one. */
export interface CommandProposer {
  /** @throws QuorateError */
  propose(command: Uint8Array, call: { readonly deadline: number }): Promise<Result>;
}

/** What errands are sent with. */
export interface ErrandParts {
  readonly proposer: CommandProposer;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told of an error that nobody expected: the member must stop. */
  onBug(error: unknown): void;
}

/** How long a proposal may take before its task thinks again, milliseconds. Nothing depends on it: it may still be done. */
const patienceMs = 10_000;

/** The errands of one task. */
export class Errand {
  readonly #parts: ErrandParts;
  #isOut = false;

  constructor(parts: ErrandParts) {
    this.#parts = parts;
  }

  /** A proposal is on its way: no other may be sent. */
  get isOut(): boolean {
    return this.#isOut;
  }

  /** Proposes a command. `back` is called once it is applied here, or with nothing when it failed or nobody knows. */
  send(command: PlainCommand, back: (result: Result | undefined) => void = () => undefined): void {
    const { proposer, clock } = this.#parts;
    this.#isOut = true;
    proposer
      .propose(encodeCommand(unnamed(command)), { deadline: clock.now() + patienceMs })
      .catch((error: unknown) => this.#failed(command, error))
      .then((result) => {
        this.#isOut = false;
        back(result);
      })
      .catch((error: unknown) => {
        this.#parts.onBug(error);
      });
  }

  #failed({ kind }: PlainCommand, error: unknown): undefined {
    if (!(error instanceof QuorateError)) throw error;
    this.#parts.logger.debug({ command: kind, reason: error.message }, 'a proposal of the leader itself failed');
  }
}

/** One front end, as its member has it: a child process, the link to it, and the connections on their way. */
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { Duplex, PassThrough } from 'node:stream';
import { assert } from '../../base/assert';
import type { TlsIdentity } from '../../base/tls';
import type { FailedHandshake } from '../tls-door';
import type { FromFrontEnd, FrontEndPlan, ToFrontEnd } from './control';
import { frameKind, nothing } from './frames';
import { type Arrival, handOver } from './hand-over';
import { frontEndLimits } from './limits';
import { Link } from './link';
import { LinkedCalls } from './linked-calls';
import type { ServedMethod } from './method-table';

const program = join(__dirname, 'front-end-process.js');

/** How a front end is started, and who hears of it. */
export interface FrontEndChildOptions {
  readonly methods: readonly ServedMethod[];
  readonly plan: FrontEndPlan;
  /** The largest payload it may send. */
  readonly maxPayloadBytes: number;
  /** It can take another connection. */
  onFree(): void;
  /** A client could not open TLS with it; told at a bounded rate. */
  onFailedHandshake(failure: FailedHandshake): void;
  /** It said something that it never should, and is ended. */
  onBroken(error: unknown): void;
  /** The process is gone, and so are its clients. Called once. */
  onEnded(reason: string): void;
}

export class FrontEndChild {
  readonly #options: FrontEndChildOptions;
  readonly #process: ChildProcess;
  readonly #link: Link;
  readonly #calls: LinkedCalls;
  readonly #ended: Promise<void>;
  readonly #startTimer: NodeJS.Timeout;
  readonly #pulseTimer: NodeJS.Timeout;
  /** Closes the connection that is on its way. */
  #dropConnection: () => void = () => undefined;
  #onEmpty: () => void = () => undefined;
  #state: 'starting' | 'free' | 'taking' | 'ended' = 'starting';

  constructor(options: FrontEndChildOptions) {
    this.#options = options;
    this.#process = fork(program, [], { stdio: ['ignore', 'inherit', 'inherit', 'ipc', 'pipe'] });
    this.#link = this.#openLink();
    this.#calls = new LinkedCalls(options.methods, this.#link);
    this.#ended = this.#untilEnded();
    this.#startTimer = setTimeout(() => {
      this.kill();
    }, frontEndLimits.startTimeoutMs);
    this.#pulseTimer = setInterval(() => {
      this.#link.send(frameKind.pulse, 0, nothing);
    }, frontEndLimits.pulseMs);
    this.#process.on('message', (words: FromFrontEnd) => {
      this.#onMessage(words);
    });
    this.#say({ kind: 'start', plan: options.plan });
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** True while it is at work. */
  get isUp(): boolean {
    return this.#state === 'free' || this.#state === 'taking';
  }

  /** True if it can take a connection. */
  get isFree(): boolean {
    return this.#state === 'free' && this.#process.connected;
  }

  /** Hands over a connection. Only while `isFree`: one at a time is on its way. */
  hand(connection: Arrival): void {
    assert(this.isFree, 'a front end is handed one connection at a time');
    this.#state = 'taking';
    this.#dropConnection = handOver(connection, this.#process);
  }

  /** Shows this to new clients. */
  replaceIdentity(identity: TlsIdentity): void {
    this.#say({ kind: 'identity', identity });
  }

  /** Takes no more calls, closes each connection once its calls are answered. Returns when none is left. */
  async retire(): Promise<void> {
    this.#say({ kind: 'retire' });
    const empty = new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
    await Promise.race([empty, this.#ended]);
  }

  /** Asks it to close what is left and to end; kills it if it does not. Returns when it is gone. */
  async close(): Promise<void> {
    if (this.#state === 'starting') this.kill();
    else this.#say({ kind: 'close' });
    const timer = setTimeout(() => {
      this.kill();
    }, frontEndLimits.killAfterMs);
    await this.#ended;
    clearTimeout(timer);
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }

  #untilEnded(): Promise<void> {
    return new Promise((resolve) => {
      const ended = (reason: string): void => {
        if (this.#state === 'ended') return;
        this.#onEnded(reason);
        resolve();
      };
      this.#process.once('exit', (code, signal) => {
        ended(signal ?? `exit code ${String(code)}`);
      });
      // Said too when a message cannot be sent: then the process is ending, and says so itself.
      this.#process.on('error', (error) => {
        if (this.#process.pid === undefined) ended(error.message);
      });
    });
  }

  #onEnded(reason: string): void {
    if (this.#state === 'taking') this.#dropConnection();
    this.#state = 'ended';
    clearTimeout(this.#startTimer);
    clearInterval(this.#pulseTimer);
    this.#link.destroy();
    this.#calls.cancelAll();
    this.#options.onEnded(reason);
  }

  #openLink(): Link {
    // Absent when the process could not be started, which `error` tells.
    const socket = (this.#process.stdio as ChildProcess['stdio'] | undefined)?.[4];
    return new Link({
      socket: socket instanceof Duplex ? socket : new PassThrough(),
      maxPayloadBytes: this.#options.maxPayloadBytes,
      onFrame: (kind, id, payload) => {
        this.#calls.onFrame(kind, id, payload);
      },
      onBroken: (error) => {
        this.#options.onBroken(error);
        this.kill();
      },
      // Without its link it is of no use, and whoever was called through it hears nothing more.
      onClosed: () => {
        this.#calls.cancelAll();
        this.kill();
      },
    });
  }

  #onMessage(words: FromFrontEnd): void {
    // What it said last may arrive after its end.
    if (this.#state === 'ended') return;
    switch (words.kind) {
      case 'empty':
        this.#onEmpty();
        return;
      case 'handshake-failed':
        this.#options.onFailedHandshake(words.failure);
        return;
      case 'ready':
      case 'taken':
        clearTimeout(this.#startTimer);
        this.#state = 'free';
        this.#options.onFree();
        return;
    }
  }

  #say(words: ToFrontEnd): void {
    // If it does not hear, it is ending, and `exit` tells.
    if (this.#process.connected) this.#process.send(words, undefined, {}, () => undefined);
  }
}

/** One front end, as its member has it: a child process, the link to it, and the connections on their way. */
import { type ChildProcess, fork } from 'node:child_process';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { Duplex, PassThrough } from 'node:stream';
import { assert } from '../../base/assert';
import type { FrontEndPlan, ToFrontEnd } from './control';
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
  #state: 'starting' | 'free' | 'taking' | 'ended' = 'starting';

  constructor(options: FrontEndChildOptions) {
    this.#options = options;
    this.#process = fork(program, [], { stdio: ['ignore', 'inherit', 'inherit', 'ipc', 'pipe'] });
    this.#link = this.#openLink();
    this.#calls = new LinkedCalls(options.methods, this.#link);
    this.#ended = new Promise((resolve) => {
      const ended = (reason: string): void => {
        if (this.#state === 'ended') return;
        this.#state = 'ended';
        clearTimeout(this.#startTimer);
        this.#link.destroy();
        this.#calls.cancelAll();
        resolve();
        options.onEnded(reason);
      };
      this.#process.once('exit', (code, signal) => {
        ended(signal ?? `exit code ${String(code)}`);
      });
      // Said too when a message cannot be sent: then the process is ending, and says so itself.
      this.#process.on('error', (error) => {
        if (this.#process.pid === undefined) ended(error.message);
      });
    });
    this.#startTimer = setTimeout(() => {
      this.kill();
    }, frontEndLimits.startTimeoutMs);
    this.#process.on('message', () => {
      this.#onMessage();
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

  /**
   * Hands over a connection, with what was read of it. Only while `isFree`: one at a time is on its way, so that Node
   * keeps none for later, and what is read here meanwhile could not be lost.
   */
  hand(connection: Socket): void {
    assert(this.isFree, 'a front end is handed one connection at a time');
    this.#state = 'taking';
    const head = readAll(connection);
    stopReading(connection);
    const words: ToFrontEnd = { kind: 'connection', head: head.toString('base64') };
    this.#process.send(words, connection, {}, (error) => {
      // Otherwise Node has taken the connection from this process already, and its end is the front end's.
      if (error !== null && handleOf(connection) !== undefined) connection.destroy();
    });
  }

  retire(): void {
    this.#say({ kind: 'retire' });
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

  #onMessage(): void {
    // What it said last may arrive after its end.
    if (this.#state === 'ended') return;
    // `ready` ends the start, `taken` ends the taking: either way it is free.
    clearTimeout(this.#startTimer);
    this.#state = 'free';
    this.#options.onFree();
  }

  #say(words: ToFrontEnd): void {
    // If it does not hear, it is ending, and `exit` tells.
    if (this.#process.connected) this.#process.send(words, undefined, {}, () => undefined);
  }
}

/** What has been read of a connection and used by nobody. */
function readAll(connection: Socket): Buffer {
  const pieces: Buffer[] = [];
  for (let piece = nextOf(connection); piece !== null; piece = nextOf(connection)) pieces.push(piece);
  return Buffer.concat(pieces);
}

function nextOf(connection: Socket): Buffer | null {
  return connection.read() as Buffer | null;
}

/** What Node reads a connection with; it has no public name. Absent once the connection was handed over or closed. */
interface Handle {
  readStop(): void;
}

function handleOf(connection: Socket): Handle | undefined {
  return (connection as unknown as { readonly _handle: Handle | null })._handle ?? undefined;
}

/**
 * A paused connection is still read until its buffer is full. Node hands it over without stopping that: what arrives
 * between then and its closing here would be read here, and lost (measured: a fifth of a steady stream of bytes).
 */
function stopReading(connection: Socket): void {
  handleOf(connection)?.readStop();
}

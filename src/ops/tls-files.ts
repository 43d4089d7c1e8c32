/** An identity for TLS that is kept in files, and follows them when they are replaced. */
import { statSync } from 'node:fs';
import type { Scheduler, Timer } from '../base/clock';
import { QuorateError } from '../base/error';
import type { Logger } from '../base/logger';
import type { TlsIdentity, TlsSource } from '../base/tls';
import { outOfTime, readIdentity, type TlsFileNames } from './tls-identity';

/** How often the files are looked at, milliseconds. */
const lookIntervalMs = 2_000;

/** What the files are, and who is told of them. */
export interface TlsFilesOptions {
  readonly names: TlsFileNames;
  readonly scheduler: Pick<Scheduler, 'after'>;
  /** Milliseconds since 1970. */
  wallClock(): number;
  readonly logger: Logger;
}

/**
 * Follows the files by looking, not by asking the system to be told: Kubernetes replaces them by turning a symbolic link to a
 * directory, network file systems tell nothing, and what is half written is read again anyway.
 */
export class TlsFiles implements TlsSource {
  readonly #options: TlsFilesOptions;
  readonly #listeners: (() => void)[] = [];
  #current: TlsIdentity;
  /** What the files looked like before they were read. */
  #look: string;
  /** The last thing that was wrong with a replacement, so that it is logged once. */
  #complaint: string | undefined;
  #timer: Timer | undefined;

  /** @throws QuorateError `refused-to-start` when the files cannot be used */
  constructor(options: TlsFilesOptions) {
    this.#options = options;
    this.#look = lookAt(options.names);
    this.#current = readIdentity(options.names);
    this.#warnOfTime();
  }

  get current(): TlsIdentity {
    return this.#current;
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Begins to follow the files. */
  start(): void {
    this.#timer = this.#options.scheduler.after(lookIntervalMs, () => {
      this.#follow();
      this.start();
    });
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #follow(): void {
    const look = lookAt(this.#options.names);
    if (look === this.#look) return;
    try {
      const replacement = readIdentity(this.#options.names);
      // Only now: what could not be used is read again and again, whatever it looks like.
      this.#look = look;
      this.#complaint = undefined;
      if (!isEqual(replacement, this.#current)) this.#replace(replacement);
    } catch (error) {
      if (!(error instanceof QuorateError)) throw error;
      if (error.message === this.#complaint) return;
      this.#complaint = error.message;
      this.#options.logger.warn(
        { reason: error.message },
        'new files for TLS cannot be used; the old ones stay in use',
      );
    }
  }

  #replace(replacement: TlsIdentity): void {
    const { names, logger } = this.#options;
    this.#current = replacement;
    logger.info({ certificate: names.certificate.path }, 'new files for TLS are in use for new connections');
    this.#warnOfTime();
    for (const listener of this.#listeners) listener();
  }

  #warnOfTime(): void {
    const { names, logger } = this.#options;
    for (const reason of outOfTime(names, this.#current, this.#options.wallClock())) {
      logger.warn({ reason }, 'a certificate is not valid now; connections will fail');
    }
  }
}

/** Changes whenever a file does, also when another takes its place. */
function lookAt({ certificate, key, trusted }: TlsFileNames): string {
  const files = [certificate, key, ...(trusted === undefined ? [] : [trusted])];
  return files.map(({ path }) => lookOf(path)).join(' ');
}

function lookOf(path: string): string {
  try {
    const { dev, ino, size, ctimeNs } = statSync(path, { bigint: true });
    return [dev, ino, size, ctimeNs].join(':');
  } catch (error) {
    // Whoever reads it says why.
    return String(error);
  }
}

function isEqual(one: TlsIdentity, other: TlsIdentity): boolean {
  return one.certificate === other.certificate && one.key === other.key && one.trusted === other.trusted;
}

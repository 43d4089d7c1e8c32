/** The verbs of operators, and what they take and give. */
import {
  AlarmType,
  MaintenanceServiceService,
  type Alarm as WireAlarm,
  type Settings as WireSettings,
} from '../gen/quorate/v1/maintenance';
import { Consistency } from '../gen/quorate/v1/kv';
import type { Caller } from './caller';
import { downloadOf, type SnapshotDownload, type SnapshotOptions } from './snapshot';
import type { CallOptions, MutationOptions } from './types';

/** What an alarm says: `no-space`, puts and grants are refused; `corrupt`, everything that changes data is. */
export type AlarmKind = 'no-space' | 'corrupt';

/** An alarm that stands. */
export interface Alarm {
  readonly alarm: AlarmKind | 'unknown';
  /** The member it is about. */
  readonly memberId: bigint;
}

/** Settings of the whole cluster. */
export interface Settings {
  /** Bytes of the state database above which puts and grants of leases are refused; 0 for no bound. */
  readonly quotaBytes: number;
}

/** What one member's copy of the data holds. */
export interface StoreStatus extends Settings {
  readonly revision: number;
  /** History before this revision was compacted; 0 when it is complete. */
  readonly compactRevision: number;
  readonly keyCount: number;
  readonly leaseCount: number;
  /** Bytes on disk, with the write-ahead log. */
  readonly sizeBytes: number;
  /** Of those, the bytes that hold something. */
  readonly sizeInUseBytes: number;
  readonly alarms: readonly Alarm[];
}

/** The hash of one member's data. */
export interface KvHash {
  /** CRC-32C, as etcd v3.5 makes it. */
  readonly hash: number;
  /** Up to this revision. */
  readonly revision: number;
  /** Hashes are comparable between members for equal revisions of both kinds. */
  readonly compactRevision: number;
}

/** How long a member may take to make a copy of a large database, ms. */
const defaultMaxSilenceMs = 60_000;

const alarmTypes: Readonly<Record<AlarmKind, AlarmType>> = {
  'no-space': AlarmType.NO_SPACE,
  corrupt: AlarmType.CORRUPT,
};

/** What operators need beside the data. */
export class MaintenanceVerbs {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /**
   * Begins to fetch a consistent copy of one member's database, taken without stopping writes. Put together in order, the
   * bytes are a SQLite file. Another member is tried until the first byte has come, not after.
   *
   * @throws QuorateError beside those of every method `snapshot-failed`; the iteration does too
   */
  async snapshot(options: SnapshotOptions = {}): Promise<SnapshotDownload> {
    const maxSilenceMs = options.maxSilenceMs ?? defaultMaxSilenceMs;
    const { snapshot } = MaintenanceServiceService;
    const stream = await this.#caller.open(snapshot, {}, { timeoutMs: maxSilenceMs });
    return downloadOf(stream.first, {
      next: () => stream.next(maxSilenceMs),
      cancel: () => {
        stream.cancel();
      },
    });
  }

  /**
   * Forgets what was before a revision, for good: reads and watches below it are refused from then on. Rejects with
   * `compacted` if it was done before, and with `future-revision`.
   */
  async compact(revision: number, options: MutationOptions = {}): Promise<{ readonly revision: number }> {
    const request = (requestId: string) => ({ revision, requestId });
    return { revision: (await this.#caller.mutate(MaintenanceServiceService.compact, options, request)).revision };
  }

  /** The hash of what the member in use holds up to a revision (0: its newest). */
  async hashKv(revision = 0, options: CallOptions = {}): Promise<KvHash> {
    const answer = await this.#caller.read(MaintenanceServiceService.hashKv, { revision }, options);
    return { hash: answer.hash, revision: answer.revision, compactRevision: answer.compactRevision };
  }

  /** The alarms that stand. */
  async alarms(options: CallOptions = {}): Promise<readonly Alarm[]> {
    const request = { consistency: Consistency.LINEARIZABLE };
    const { alarms } = await this.#caller.read(MaintenanceServiceService.listAlarms, request, options);
    return alarms.map(fromWireAlarm);
  }

  /**
   * Raises an alarm by hand.
   *
   * @param memberId the member it is about; 0: the one that is in use
   * @returns false if it stood before
   */
  async raiseAlarm(alarm: AlarmKind, memberId = 0n, options: MutationOptions = {}): Promise<boolean> {
    const request = (requestId: string) => ({ type: alarmTypes[alarm], memberId, requestId });
    return (await this.#caller.mutate(MaintenanceServiceService.raiseAlarm, options, request)).changed;
  }

  /**
   * Clears an alarm. One that has a cause comes back.
   *
   * @param memberId the member it is about; 0: whichever
   * @returns false if it did not stand
   */
  async clearAlarm(alarm: AlarmKind, memberId = 0n, options: CallOptions = {}): Promise<boolean> {
    // Which alarms there are may change between two attempts, so an id would not name one change. Twice is once here.
    const request = { type: alarmTypes[alarm], memberId, requestId: '' };
    return (await this.#caller.read(MaintenanceServiceService.clearAlarm, request, options)).changed;
  }

  /** The settings of the cluster. */
  async settings(options: CallOptions = {}): Promise<Settings> {
    return fromWireSettings((await this.#caller.read(MaintenanceServiceService.getSettings, {}, options)).settings);
  }

  /** Changes settings of the whole cluster while it runs; what is left out stays. @returns all as they are now */
  async updateSettings(change: Partial<Settings>, options: MutationOptions = {}): Promise<Settings> {
    const quotaBytes = change.quotaBytes === undefined ? undefined : BigInt(change.quotaBytes);
    const request = (requestId: string) => ({ quotaBytes, requestId });
    const response = await this.#caller.mutate(MaintenanceServiceService.updateSettings, options, request);
    return fromWireSettings(response.settings);
  }

  /** What the copy of the member in use holds. It answers from memory, without a quorum. */
  async storeStatus(options: CallOptions = {}): Promise<StoreStatus> {
    const status = await this.#caller.read(MaintenanceServiceService.getStoreStatus, {}, options);
    return { ...status, alarms: status.alarms.map(fromWireAlarm) };
  }
}

function fromWireAlarm({ type, memberId }: WireAlarm): Alarm {
  const alarm = type === AlarmType.NO_SPACE ? 'no-space' : type === AlarmType.CORRUPT ? 'corrupt' : 'unknown';
  return { alarm, memberId };
}

function fromWireSettings(settings: WireSettings | undefined): Settings {
  return { quotaBytes: settings?.quotaBytes ?? 0 };
}

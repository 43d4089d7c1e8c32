/** The simulated world: members, network, disks and clients on one agenda, and the witness who sees everything. */
import { required } from '../../base/assert';
import { encodeDirectory, type DirectoryEntry } from '../../node/member-directory';
import { simpleConfiguration, type Configuration, type ConfigurationPayload, type MemberId } from '../../raft';
import { check, Violation } from '../checkers/checker';
import { Witness } from '../checkers/witness';
import type { Plan } from '../plan';
import type { Call } from '../workload/call';
import { Client, type CallObserver } from '../workload/client';
import { describeOperation } from '../workload/describe';
import { Memory } from '../workload/memory';
import { Watcher } from '../workload/watcher';
import { Agenda } from './agenda';
import { chanceFor } from './chance';
import { SimDisk } from './disk';
import { SimMember, type MemberObserver } from './member';
import { Network, type Carried } from './network';
import { describeMessage } from './describe';
import { Moments } from './moments';
import { directoryEntry } from './directory';
import { OperatorRoom } from './operator-room';
import type { Trace } from './trace';

/** Numbers of the trace's steps. */
const stepCode = {
  turn: 1,
  deliver: 2,
  durable: 3,
  start: 4,
  end: 5,
  invoke: 6,
  return: 7,
  fault: 8,
  install: 9,
  copy: 10,
  removed: 11,
  wish: 12,
  watch: 13,
} as const;

/** Microtasks that a promise may need to get from the disk through the driver to a caller, with some to spare. */
const drainDepth = 6;
const settled = Promise.resolve();

/** How long it takes until a process that ended by itself is started again. */
const supervisorMs = 500;

/** Far more than any plan needs: whoever gets there turns in circles. */
const maxEvents = 1_000_000;

/** How often somebody looks at members that do nothing. */
const lookEveryMs = 100;

export class World {
  readonly agenda = new Agenda();
  readonly trace: Trace;
  readonly network: Network;
  readonly members: SimMember[] = [];
  readonly #byId = new Map<MemberId, SimMember>();
  readonly witness: Witness;
  readonly moments = new Moments();
  readonly calls: Call[] = [];
  restarts = 0;
  /** When snapshots were taken for members that lacked too much, and when they took them in, as the calls tell their times. */
  readonly snapshotsAt: number[] = [];
  room: OperatorRoom | undefined;
  readonly #clients: Client[] = [];
  readonly watchers: Watcher[] = [];
  /** Whom clients ask; everybody unless it was said otherwise. */
  #contacts: () => readonly SimMember[] = () => this.present;
  #broken: Error | undefined;
  #events = 0;
  readonly #urgent: Promise<void>[] = [];
  readonly #plan: Plan;

  constructor(plan: Plan, trace: Trace) {
    this.#plan = plan;
    this.trace = trace;
    const ids = Array.from({ length: plan.members }, (_, at) => BigInt(at + 1));
    this.network = new Network(
      {
        agenda: this.agenda,
        rng: chanceFor(plan.seed, 'network'),
        observer: {
          sent: (from, to, message) => this.witness.sent(this.member(from), to, message),
          gone: (member, peer) => {
            // Where a lease for reads rests on members that wait, they wait all the same.
            if (!plan.raftOptions.leaseReads) this.witness.gone(this.member(member), peer);
          },
          deliver: (from, to, arrive, message) => {
            const receiver = this.member(to);
            receiver.admit('input', () => {
              this.trace.step(stepCode.deliver, Number(to), message.kind.length + Number(from) * 32);
              if (this.trace.isRead) this.#tell(receiver, `<- m${from}  ${describeMessage(message)}`);
              this.#received(receiver, from, message);
              arrive();
            });
          },
        },
      },
      { quality: plan.network, snapshotChunkBytes: plan.snapshotChunkBytes },
    );
    const first = ids.map(directoryEntry);
    for (const id of ids) this.addMember(id, first);
    const { electionTimeoutMs, maxPromotionLag } = plan.raftOptions;
    const { memory, maxDriftRate, faults } = plan;
    this.witness = new Witness({
      ...{ members: this.#byId, configuration: simpleConfiguration(ids), electionTimeoutMs, maxPromotionLag, memory },
      leases: { now: () => this.agenda.now, maxDriftRate, clocksJump: faults.has('clock jump') },
    });
  }

  /** Starts everybody, and the clients. */
  begin(): void {
    for (const member of this.members) this.restart(member);
    this.restarts = 0;
    for (let number = 1; number <= this.#plan.clients; number++) this.#addClient(number);
    for (let number = 1; number <= this.#plan.watchers; number++) this.#addWatcher(number);
    const { operator } = this.#plan;
    if (operator !== undefined) this.room = new OperatorRoom(this, { ...this.#plan, operator });
    this.#look();
  }

  /** All machines that are not switched off for good. */
  get present(): readonly SimMember[] {
    return this.members.filter(({ isGone }) => !isGone);
  }

  member(id: MemberId): SimMember {
    return required(this.#byId.get(id), 'there is such a member');
  }

  get leader(): SimMember | undefined {
    let leader: SimMember | undefined;
    for (const member of this.members) {
      if (!member.isUp || member.seen?.role !== 'leader') continue;
      if (leader === undefined || member.seen.term > (leader.seen?.term ?? 0)) leader = member;
    }
    return leader;
  }

  /** What is wrong, if anything is. */
  get failure(): Error | undefined {
    return this.witness.violation ?? this.#broken;
  }

  /** Starts a process that is down, unless its disk is damaged. */
  restart(member: SimMember): void {
    if (member.isUp || member.isDead || member.isGone) return;
    this.restarts++;
    const started = member.start();
    this.note('start', member, started ? `starts, life ${member.lives}` : 'refuses to start: its log is damaged');
  }

  /** True if this member may be lost for ever and a quorum is left, whatever configuration holds in the end. */
  maySacrifice(candidate: SimMember): boolean {
    if (this.room?.operator.isInDoubt === true) return false;
    const isAlive = (id: MemberId): boolean => {
      const { isDead, disk } = this.member(id);
      return id !== candidate.id && !isDead && disk.rotten.size === 0;
    };
    return this.configurationsInForce().every(({ voters, outgoing }) =>
      [voters, outgoing].every((set) => set.length === 0 || set.filter(isAlive).length * 2 > set.length),
    );
  }

  /** The latest that was committed, and those that may follow it: nobody can win an election with an older one. */
  configurationsInForce(): readonly Configuration[] {
    const { configurations, configuration } = this.witness.history;
    const latest = configurations.at(-1)?.index ?? 0;
    const next = this.present
      .filter(({ isDead, lives, log }) => !isDead && lives > 0 && log.configuration.index > latest)
      .map(({ log }) => log.configuration.configuration);
    return [configuration, ...next];
  }

  /** From now on clients ask only these. */
  pointClientsAt(members: () => readonly SimMember[]): void {
    this.#contacts = members;
  }

  /** Clients make no new calls, or do again. */
  pauseClients(isPaused: boolean): void {
    for (const client of this.#clients) client.isPaused = isPaused;
  }

  stopClients(): void {
    for (const client of this.#clients) client.stop();
  }

  /** Lets time pass until `until`, or until something is wrong, or `isDone` says that it is enough. */
  async #run(until: number, isDone: () => boolean = () => false): Promise<void> {
    while (this.agenda.runNext(until)) {
      check(++this.#events < maxEvents, 'L9', () => 'the members come to no rest');
      // Promises settle between two events, in an order of their own that is always the same.
      for (let depth = 0; depth < drainDepth; depth++) await settled;
      await this.#finishUrgent();
      if (this.failure !== undefined || isDone()) return;
    }
  }

  /** What the event loop of the real process has to do with it happens between two events of this world. */
  async #finishUrgent(): Promise<void> {
    while (this.#urgent.length > 0) {
      await Promise.all(this.#urgent.splice(0));
      for (let depth = 0; depth < drainDepth; depth++) await settled;
    }
  }

  /** @throws Violation as soon as something is wrong */
  async runFor(ms: number, isDone?: () => boolean): Promise<void> {
    await this.#run(this.agenda.now + ms, isDone);
    if (this.failure !== undefined) throw this.failure;
  }

  note(
    kind: 'start' | 'end' | 'fault' | 'install' | 'copy' | 'removed' | 'wish',
    member: SimMember | undefined,
    text: string,
  ): void {
    this.trace.step(stepCode[kind], Number(member?.id ?? 0n), this.agenda.now);
    if (this.trace.isRead) this.#tell(member, text);
  }

  close(): void {
    for (const member of this.members) {
      member.kill('process', 'the run is over');
      member.close();
    }
    this.witness.snapshots.close();
  }

  /** A machine that has not started yet. @param known the members that it knows when it starts for the first time; nobody if it joins */
  addMember(id: MemberId, known: readonly DirectoryEntry[]): SimMember {
    const { seed, disk } = this.#plan;
    const { agenda, network } = this;
    const rng = chanceFor(seed, `member ${id}`);
    const simDisk = new SimDisk({
      ...{ id, agenda, rng: chanceFor(seed, `disk ${id}`), quality: disk },
      observer: {
        given: (persist) => {
          this.witness.given(member, persist);
          member.given(persist);
          if (persist.snapshot !== undefined) this.moments.happens('log is to be replaced', member);
        },
        durable: (persist) => {
          this.trace.step(stepCode.durable, Number(id), agenda.now);
          this.witness.durable(member, persist);
          if (persist.snapshot !== undefined) this.moments.happens('log is replaced', member);
        },
        cut: (index) => this.witness.cut(member, index),
        notify: (tell) => member.admit('input', tell),
      },
    });
    const configuration: ConfigurationPayload = {
      configuration: simpleConfiguration(known.map((entry) => entry.id)),
      context: encodeDirectory(known),
    };
    const setup = { ...this.#plan, configuration };
    const atOnce = (work: Promise<void>): void => void this.#urgent.push(work);
    const observer = this.#memberObserver();
    const member = new SimMember({ id, agenda, rng, network, disk: simDisk, observer, atOnce }, setup);
    network.add(id);
    this.members.push(member);
    this.#byId.set(id, member);
    return member;
  }

  #received(receiver: SimMember, from: MemberId, message: Carried): void {
    if (message.kind !== 'snapshot') this.witness.received(receiver, from, message);
    else {
      if (message.step.kind === 'header') this.witness.offered(receiver, message.step.offer);
      if (message.step.kind !== 'taken') this.moments.happens('part arrives', receiver);
    }
  }

  #memberObserver(): MemberObserver {
    return {
      started: (member, appliedIndex) => this.witness.started(member, appliedIndex),
      turned: (member) => {
        const { seen, before } = member;
        this.trace.step(stepCode.turn, Number(member.id), (seen?.commitIndex ?? 0) * 64 + (seen?.term ?? 0));
        if (this.trace.isRead && (seen?.role !== before?.role || seen?.term !== before?.term)) {
          this.#tell(member, `is ${seen?.role} in term ${seen?.term}`);
        }
        this.witness.turned(member);
      },
      applied: (member, entries, results) => this.witness.applied(member, entries, results),
      installed: (member, last, hash) => {
        this.note('install', member, `installs the snapshot up to ${last.index}:${last.term}`);
        this.witness.installed(member, last, hash);
        this.snapshotsAt.push(this.trace.steps);
        this.moments.happens('state is replaced', member);
      },
      snapshotTaken: (member, last) => {
        this.note('copy', member, `took a snapshot up to ${last.index}:${last.term}`);
        this.snapshotsAt.push(this.trace.steps);
        this.moments.happens('copied', member);
      },
      removed: (member) => {
        this.note('removed', member, 'was removed');
        member.wasRemoved = true;
      },
      ended: (member, why) => this.note('end', member, `ends: ${why}`),
      gaveUp: (member) => {
        this.agenda.after(supervisorMs, () => this.restart(member));
      },
      broken: (member, error) => {
        this.breakDown(member, error);
      },
    };
  }

  #addClient(number: number): void {
    const { seed, habits, kinds, vocabulary } = this.#plan;
    const { agenda } = this;
    this.#clients.push(
      new Client({
        ...{ number, agenda, rng: chanceFor(seed, `client ${number}`), habits, kinds },
        memory: new Memory(vocabulary, number, () => agenda.now),
        contacts: () => this.#contacts(),
        nextCallId: () => this.calls.length + 1,
        observer: this.#callObserver(),
      }),
    );
  }

  #addWatcher(number: number): void {
    const { seed, watcherHabits: habits, vocabulary } = this.#plan;
    this.watchers.push(
      new Watcher({
        ...{ number, agenda: this.agenda, rng: chanceFor(seed, `watcher ${number}`), habits, vocabulary },
        contacts: () => this.#contacts(),
        observer: {
          opened: (session) => this.witness.opened(session),
          took: (session, batch) => {
            this.trace.step(stepCode.watch, number, session.watch.revision);
            this.witness.took(session, batch);
          },
          broken: (error) => this.breakDown(undefined, error),
        },
      }),
    );
  }

  #callObserver(): CallObserver {
    const steps = (): number => this.trace.steps;
    return {
      get step() {
        return steps();
      },
      invoked: (call, contact) => {
        this.calls.push(call);
        this.trace.step(stepCode.invoke, call.client, call.id);
        this.witness.invoked(call);
        if (this.trace.isRead)
          this.#tell(
            undefined,
            `c${call.client} asks ${contact.name}: #${call.id} ${describeOperation(call.operation)}`,
          );
      },
      returned: (call) => {
        this.trace.step(stepCode.return, call.client, call.id * 16 + call.outcome.length);
        this.witness.returned(call);
        if (this.trace.isRead)
          this.#tell(undefined, `c${call.client} ${call.outcome}: #${call.id} ${describeOperation(call.operation)}`);
      },
      answered: (call, contact, answer) => this.witness.answered(call, answer, contact.life),
      broken: (error) => this.breakDown(undefined, error),
    };
  }

  /** A member failed in a way that no fault explains. */
  breakDown(member: SimMember | undefined, error: unknown): void {
    if (error instanceof Violation) {
      this.witness.violation ??= error;
      return;
    }
    const text = error instanceof Error ? error.message : String(error);
    const name = /assertion failed: ([A-Z]\d+):/.exec(text)?.[1] ?? 'assertion';
    this.#broken ??= new Violation(name, `${member?.name ?? 'a call'} breaks: ${text}`);
  }

  #look(): void {
    this.agenda.after(lookEveryMs, () => {
      for (const member of this.members) {
        if (!member.isUp || member.isPaused) continue;
        this.witness.looked(
          member,
          member.listed().map(({ id }) => id),
        );
      }
      this.#look();
    });
  }

  #tell(member: SimMember | undefined, text: string): void {
    this.trace.line(this.agenda.now, member === undefined ? text : `${member.name} ${text}`);
  }
}

// A replicated counter: three members in one process, logs in memory, a toy network, and a clock that only the loop moves.
import { defaultRaftOptions, Raft, simpleConfiguration } from 'quorate/raft';

const ids = [1n, 2n, 3n];
const members = new Map();
const cutOff = new Set();
let wire = [];
let now = 0;

/** One member: the consensus core, a disk, and a state machine that is a number. */
class Member {
  log = [];
  counter = 0;
  applied = 0;

  constructor(id) {
    this.id = id;
    this.raft = new Raft({
      id,
      now,
      options: defaultRaftOptions,
      rng: { nextUint32: () => Math.floor(Math.random() * 2 ** 32) },
      hardState: { term: 0, votedFor: undefined },
      log: { firstIndex: 1, lastIndex: 0, termBeforeFirst: 0, termRuns: [], tail: [] },
      configuration: { index: 0, configuration: simpleConfiguration(ids), context: new Uint8Array() },
      configurationEntries: [],
      appliedIndex: 0,
      checkInvariants: true,
    });
  }

  /** Gives the core an event and does what it asks for, in the order it asks for: persist, send, apply. */
  step(event) {
    const { persist, messages, loads } = this.raft.step(event, now);
    // This disk is done at once. A real one keeps `persist.hardState` too, and no message leaves before that is safe.
    if (persist?.entries.length > 0) this.log.splice(persist.entries[0].index - 1, Infinity, ...persist.entries);
    for (const { to, message } of messages) wire.push({ from: this.id, to, message });
    this.apply();
    for (const { peer, firstIndex, lastIndex } of loads) {
      this.step({ kind: 'loaded', peer, entries: this.log.slice(firstIndex - 1, lastIndex) });
    }
    if (persist !== undefined) this.step({ kind: 'persisted', sequence: persist.sequence });
  }

  /** Committed and durable entries go into the state machine, one after the other. */
  apply() {
    const { commitIndex, durableIndex } = this.raft.status;
    const last = Math.min(commitIndex, durableIndex);
    if (last <= this.applied) return;
    for (const { kind, payload } of this.log.slice(this.applied, last))
      if (kind === 'command') this.counter += payload[0];
    this.applied = last;
    this.step({ kind: 'applied', index: last });
  }
}

/** Time passes: timeouts happen, messages arrive, unless one end is cut off. */
function run(ms) {
  for (const end = now + ms; now < end; now += 5) {
    for (const member of members.values()) if (member.raft.nextTickAt <= now) member.step({ kind: 'tick' });
    const arriving = wire;
    wire = [];
    for (const { from, to, message } of arriving) {
      if (!cutOff.has(from) && !cutOff.has(to)) members.get(to).step({ kind: 'receive', from, message });
    }
  }
}

const leader = () => [...members.values()].find(({ id, raft }) => raft.status.role === 'leader' && !cutOff.has(id));

/** Asks the leader to add `amount`. It counts once the members have applied it. */
function add(amount) {
  const { term } = leader().raft.status;
  const proposals = [{ kind: 'command', payload: Uint8Array.of(amount) }];
  leader().step({ kind: 'propose', id: 1, term, proposals });
  run(200);
}

const counters = () => [...members.values()].map(({ counter }) => counter).join(', ');

for (const id of ids) members.set(id, new Member(id));
run(5000);
for (let times = 0; times < 10; times++) add(1);
console.log(`ten times 1: ${counters()}`);

const { id } = leader();
cutOff.add(id);
run(5000);
add(32);
console.log(`the leader was cut off, another took over, and 32 was added: ${counters().split(', ').sort().join(', ')}`);

cutOff.delete(id);
run(5000);
console.log(`the first one is back: ${counters()}`);

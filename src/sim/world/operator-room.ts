/** What an operator gets at in the simulated world: fresh machines, switches, and everybody's ear. */
import type { DirectoryEntry } from '../../node/member-directory';
import type { Wish } from '../../node/membership-plan';
import { allMembers, type MemberId } from '../../raft';
import {
  describeWish,
  joiningOf,
  leavingOf,
  Operator,
  type OperatorWorld,
  type WishOutcome,
} from '../workload/operator';
import { readmit } from '../workload/wishes';
import type { Plan } from '../plan';
import { chanceFor } from './chance';
import type { Witness } from '../checkers/witness';
import { directoryEntry } from './directory';
import type { SimMember } from './member';

/** Machines there are in all; every one costs checking. */
const maxMembers = 14;

export type WishVolume = Record<string, number>;

/** What the room needs of the world. */
export interface RoomSurroundings extends Pick<OperatorWorld, 'agenda' | 'present'> {
  readonly members: readonly SimMember[];
  readonly witness: Witness;
  member(id: MemberId): SimMember;
  addMember(id: MemberId, known: readonly DirectoryEntry[]): SimMember;
  restart(member: SimMember): void;
  note(kind: 'wish', member: undefined, text: string): void;
  breakDown(member: undefined, error: unknown): void;
}

export class OperatorRoom implements OperatorWorld {
  /** How many were done, by kind; to readmit a former member is done when it is refused. */
  readonly done: WishVolume = {};
  readonly former: DirectoryEntry[] = [];
  readonly operator: Operator;
  readonly #world: RoomSurroundings;
  readonly #joined = new Set<MemberId>();

  constructor(
    world: RoomSurroundings,
    { seed, operator }: Plan & { readonly operator: NonNullable<Plan['operator']> },
  ) {
    this.#world = world;
    this.operator = new Operator(this, chanceFor(seed, 'operator'), operator);
  }

  get agenda(): OperatorWorld['agenda'] {
    return this.#world.agenda;
  }

  get present(): OperatorWorld['present'] {
    return this.#world.present;
  }

  isLost(id: MemberId): boolean {
    const { isDead, disk } = this.#world.member(id);
    return isDead || disk.rotten.size > 0;
  }

  newMember(promoteWhenReady: boolean): DirectoryEntry | undefined {
    const { members } = this.#world;
    if (members.length >= maxMembers) return undefined;
    const id = BigInt(members.length + 1);
    this.#world.addMember(id, []);
    return { ...directoryEntry(id), promoteWhenReady };
  }

  join(id: MemberId): void {
    if (this.#joined.has(id)) return;
    this.#joined.add(id);
    this.#world.restart(this.#world.member(id));
  }

  retire(id: MemberId): void {
    const member = this.#world.member(id);
    // It may have come back into the plans of somebody: only who is no member is switched off.
    if (allMembers(this.#world.witness.history.configuration).includes(id) || member.isGone) return;
    member.kill('process', 'is switched off');
    member.isGone = true;
  }

  wished(wish: Wish, member: { readonly name: string }): void {
    this.#world.note('wish', undefined, `operator asks ${member.name}: ${describeWish(wish)}`);
  }

  decided(wish: Wish, outcome: WishOutcome): void {
    this.#world.note('wish', undefined, `operator ${outcome}: ${describeWish(wish)}`);
    const [joining, leaving] = [joiningOf(wish), leavingOf(wish)];
    if (outcome === 'ok') this.#count(wish.$case);
    if (outcome === 'definite' && joining !== undefined) {
      if (this.former.some(({ id }) => id === joining)) this.#count(readmit.name);
      this.#world.witness.refusedMember(joining);
    }
    const left = this.#world.members.find(({ name }) => name === leaving);
    if (outcome === 'ok' && left !== undefined) this.former.push(directoryEntry(left.id));
  }

  #count(name: string): void {
    this.done[name] = (this.done[name] ?? 0) + 1;
  }

  broken(error: unknown): void {
    this.#world.breakDown(undefined, error);
  }
}

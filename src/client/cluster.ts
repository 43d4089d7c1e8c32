/** The verbs about the members of the cluster. */
import { ClusterServiceService } from '../gen/quorate/v1/cluster';
import type { Caller } from './caller';
import { fromWireMember, fromWireMembers, fromWireStatus } from './cluster-convert';
import type { MemberDescription, MemberMove, MembersAnswer, MemberStatus, NewMember } from './cluster-types';
import type { CallOptions } from './types';

/**
 * The members of the cluster. Beside the errors of every method, those that change something have `change-refused`: it makes
 * no sense now, and repeating it is no use before something else has changed. They have no request ids, and are repeated
 * only when an attempt surely had no effect.
 */
export class ClusterVerbs {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** The state of the member that is in use. It answers from memory, without a quorum. */
  async status(options: CallOptions = {}): Promise<MemberStatus> {
    return fromWireStatus(await this.#caller.read(ClusterServiceService.getStatus, {}, options));
  }

  /** All members, as the member that is in use knows them. */
  async members(options: CallOptions = {}): Promise<MembersAnswer> {
    return fromWireMembers(await this.#caller.read(ClusterServiceService.listMembers, {}, options));
  }

  /**
   * Adds a member that has not started yet, as a learner; the leader makes it a voter once it has caught up, unless
   * `learner` is true. The change is in force when this resolves.
   *
   * @returns the member with its new id
   */
  async addMember(member: NewMember, options: CallOptions & { learner?: boolean } = {}): Promise<MemberDescription> {
    const { name, peerAddress, clientAddress } = member;
    const request = { name, peerAddress, clientAddress, learner: options.learner ?? false };
    return fromWireMember((await this.#caller.change(ClusterServiceService.addMember, request, options)).member);
  }

  /** Removes a member, which then stops by itself. The leader may be removed: another one takes over. */
  async removeMember(name: string, options: CallOptions = {}): Promise<void> {
    await this.#caller.change(ClusterServiceService.removeMember, { name }, options);
  }

  /**
   * Replaces a member, dead or alive, by one that has not started yet, in one step.
   *
   * @returns the new member with its new id, also if it bears the old name
   */
  async replaceMember(name: string, next: NewMember, options: CallOptions = {}): Promise<MemberDescription> {
    const { peerAddress, clientAddress } = next;
    const request = { name, newName: next.name, peerAddress, clientAddress };
    return fromWireMember((await this.#caller.change(ClusterServiceService.replaceMember, request, options)).member);
  }

  /** Makes a learner a voter. Refused until it has caught up. */
  async promoteMember(name: string, options: CallOptions = {}): Promise<void> {
    await this.#caller.change(ClusterServiceService.promoteMember, { name }, options);
  }

  /** Changes where a member is reached. It keeps its id and its data. */
  async updateMember(name: string, to: MemberMove, options: CallOptions = {}): Promise<void> {
    const request = { name, peerAddress: to.peerAddress ?? '', clientAddress: to.clientAddress ?? '' };
    await this.#caller.change(ClusterServiceService.updateMember, request, options);
  }

  /**
   * Takes the place of a member that was added and never started, as `quorate serve --join` does. Succeeds once: a second
   * claim is refused, so that a member without its data never comes back under its id.
   */
  async claimMember(id: bigint, options: CallOptions = {}): Promise<void> {
    await this.#caller.change(ClusterServiceService.claimMember, { id }, options);
  }

  /**
   * Hands leadership over, without an interruption longer than a heartbeat or two.
   *
   * @param name the successor; by default the voter whose log is most complete
   * @returns the leader now
   */
  async transferLeadership(name = '', options: CallOptions = {}): Promise<MemberDescription> {
    return fromWireMember(
      (await this.#caller.change(ClusterServiceService.transferLeadership, { name }, options)).leader,
    );
  }
}

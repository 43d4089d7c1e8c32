/** Members without Raft: every wish is granted at once, unless the test says otherwise. */
import type { CallContext, MembershipAuthority } from '../../src/node/call';
import type { ListedMember, MemberInfo } from '../../src/node/member-directory';
import type { Wish } from '../../src/node/membership-plan';

export class FakeMembership implements MembershipAuthority {
  listed: ListedMember[];
  leader: bigint | undefined;
  /** Everything that was asked for, in order. */
  readonly wishes: Wish[] = [];
  /** When set, it decides instead: it may reject, or resolve without having changed anything. */
  behaviour: ((wish: Wish, call: CallContext) => Promise<void>) | undefined;
  #nextId = 100n;

  constructor(members: readonly MemberInfo[], leader: bigint | undefined) {
    this.listed = members.map((member) => ({ ...member, standing: 'voter', awaitsStart: false }));
    this.leader = leader;
  }

  members(): readonly ListedMember[] {
    return this.listed;
  }

  newMemberId(): bigint {
    return this.#nextId++;
  }

  async changeMembers(wish: Wish, call: CallContext): Promise<number> {
    this.wishes.push(wish);
    if (this.behaviour === undefined) this.#grant(wish);
    else await this.behaviour(wish, call);
    return this.wishes.length;
  }

  #grant(wish: Wish): void {
    const { value } = wish;
    if (wish.$case === 'remove' || wish.$case === 'replace') {
      this.listed = this.listed.filter(({ name }) => name !== wish.value.name);
    }
    if (wish.$case === 'transfer') this.leader = this.listed.find(({ name }) => name === wish.value.name)?.id;
    if (!('member' in value) || value.member === undefined) return;
    const { id, name, peerAddress, clientAddress, awaitsStart } = value.member;
    const standing = wish.$case === 'add' ? 'learner' : 'voter';
    this.listed.push({ id, name, peerAddress, clientAddress, standing, awaitsStart });
  }
}

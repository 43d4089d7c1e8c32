/** What an operator does with the members of a cluster: each kind of wish, and how one is drawn. */
import type { Rng } from '../../base/rng';
import type { DirectoryEntry, ListedMember } from '../../node/member-directory';
import type { Wish } from '../../node/membership-plan';
import type { MemberId } from '../../raft';
import { isLucky, pick } from '../world/chance';

/** What the operator knows when it makes up its mind. */
export interface OperatorView {
  readonly rng: Rng;
  /** As the member that it asks lists them. */
  readonly listed: readonly ListedMember[];
  /** Who was a member, and surely is none any more. */
  readonly former: readonly DirectoryEntry[];
  /** Will never come back: the first to be taken out. */
  readonly isLost: (id: MemberId) => boolean;
  /** How the directory would list a machine that was never used; `undefined` when there are enough of them. */
  readonly newMember: (promoteWhenReady: boolean) => DirectoryEntry | undefined;
}

export interface WishKind {
  readonly name: string;
  /** How often it is chosen, compared with the others. */
  readonly weight: number;
  draw(view: OperatorView): Wish | undefined;
}

/** More voters than anybody runs, though no more than can be checked by enumeration. */
const maxListed = 7;

const add: WishKind = {
  name: 'add',
  weight: 5,
  draw({ rng, listed, newMember }) {
    if (listed.length >= maxListed) return undefined;
    const member = newMember(isLucky(rng, 0.8));
    return member === undefined ? undefined : { $case: 'add', value: { member } };
  },
};

/** A former member under its old id: never, since it may have forgotten what it promised (invariant M7). */
export const readmit: WishKind = {
  name: 'readmit',
  weight: 1,
  draw({ rng, former }) {
    return former.length === 0 ? undefined : { $case: 'add', value: { member: pick(rng, former) } };
  },
};

const remove: WishKind = {
  name: 'remove',
  weight: 4,
  draw(view) {
    const { rng, listed } = view;
    const voters = listed.filter(({ standing }) => standing === 'voter');
    const removable = dispensable(view).filter(({ standing }) => standing === 'learner' || voters.length > 1);
    if (removable.length === 0) return undefined;
    return { $case: 'remove', value: { name: pick(rng, removable).name } };
  },
};

const replace: WishKind = {
  name: 'replace',
  weight: 4,
  draw(view) {
    const removable = dispensable(view);
    if (removable.length === 0) return undefined;
    const member = view.newMember(false);
    if (member === undefined) return undefined;
    return { $case: 'replace', value: { name: pick(view.rng, removable).name, member } };
  },
};

const promote: WishKind = {
  name: 'promote',
  weight: 4,
  draw({ rng, listed }) {
    if (listed.length === 0) return undefined;
    const learners = listed.filter(({ standing }) => standing === 'learner');
    return { $case: 'promote', value: { name: pick(rng, learners.length === 0 ? listed : learners).name } };
  },
};

export const update: WishKind = {
  name: 'update',
  weight: 2,
  draw({ rng, listed }) {
    if (listed.length === 0) return undefined;
    const { name } = pick(rng, listed);
    return { $case: 'update', value: { name, peerAddress: `moved-${rng.nextUint32()}:1`, clientAddress: '' } };
  },
};

const transfer: WishKind = {
  name: 'transfer',
  weight: 6,
  draw({ rng, listed }) {
    const name = listed.length === 0 || isLucky(rng, 0.4) ? '' : pick(rng, listed).name;
    return { $case: 'transfer', value: { name } };
  },
};

/** Every kind of wish. A new one is a constant here and a name in this list. */
export const wishKinds: readonly WishKind[] = [add, readmit, remove, replace, promote, update, transfer];

/** Lost members are taken out before any other: whoever takes out healthy ones instead loses the quorum. */
function dispensable({ listed, isLost }: OperatorView): readonly ListedMember[] {
  const lost = listed.filter(({ id }) => isLost(id));
  return lost.length > 0 ? lost : listed;
}

/** The first start of a member that was added to a running cluster: it asks the others who it is. */
import { setTimeout as sleep } from 'node:timers/promises';
import { QuorateError } from '../../base/error';
import { QuorateClient, type ClientTlsOptions, type MemberDescription, type MembersAnswer } from '../../client';

/** What a new member is told. */
export interface Place {
  readonly clusterId: bigint;
  readonly self: MemberDescription;
}

/** A member that knows of an addition a little later than another is waited for so long, milliseconds. */
const patienceMs = 5_000;
const askAgainMs = 250;
const askTimeoutMs = 2_000;

/** A claim waits for a leader, and for the log. */
const claimTimeoutMs = 10_000;

/** Who asks for a place. */
export interface Newcomer {
  readonly name: string;
  /** Where it listens for clients, `host:port`; the host may be one that only it understands, such as 0.0.0.0. */
  readonly clientListen: string;
  /** How it talks to the members, which expect what they expect of any client. Default: plain text. */
  readonly tls?: ClientTlsOptions;
}

/**
 * Finds the place that was made for `name` by `quorate member add` or `replace`, and takes it. That succeeds once: who has
 * been started before has a directory that says who it is, or has lost it and must be replaced (invariant M7).
 *
 * @param addresses where clients reach members of the cluster; every one that answers is heard
 * @throws QuorateError `refused-to-start` when there is none, more than one, it is taken, or nobody answers
 */
export async function takePlace(newcomer: Newcomer, addresses: readonly string[]): Promise<Place> {
  const { name, tls = false } = newcomer;
  const place = await findPlace(name, addresses, tls);
  const client = new QuorateClient({ endpoints: addresses, tls, timeoutMs: claimTimeoutMs });
  try {
    const self = await withClientAddress(client, place.self, newcomer);
    await client.cluster.claimMember(self.id);
    return { ...place, self };
  } catch (error) {
    if (!(error instanceof QuorateError)) throw error;
    const unsure =
      'it is not certain whether the place was taken: try again, and if that is refused, replace the member';
    throw refusal(error.outcome === 'unknown' ? `${error.message}; ${unsure}` : error.message, addresses);
  } finally {
    client.close();
  }
}

/** Whoever was added through etcd's API, which knows only where peers reach a member, tells now where clients do. */
async function withClientAddress(
  client: QuorateClient,
  self: MemberDescription,
  { clientListen }: Newcomer,
): Promise<MemberDescription> {
  if (self.clientAddress !== '') return self;
  const host = self.peerAddress.slice(0, self.peerAddress.lastIndexOf(':'));
  const clientAddress = host + clientListen.slice(clientListen.lastIndexOf(':'));
  await client.cluster.updateMember(self.name, { clientAddress });
  return { ...self, clientAddress };
}

async function findPlace(name: string, addresses: readonly string[], tls: ClientTlsOptions | false): Promise<Place> {
  const until = performance.now() + patienceMs;
  for (;;) {
    const answers = await Promise.all(addresses.map((address) => askMembers(address, tls)));
    const found = placeIn(name, addresses, answers);
    if (found.kind === 'place') return found.place;
    if (performance.now() >= until) throw refusal(found.message, addresses);
    await sleep(askAgainMs);
  }
}

/** A member's answer, or why there is none. */
export type Answer = MembersAnswer | { readonly error: string };

type Found =
  { readonly kind: 'place'; readonly place: Place } | { readonly kind: 'nothing-yet'; readonly message: string };

/**
 * The place of `name` as the answers tell it. They may be of different age: one that lists the name decides only if no
 * other contradicts it.
 *
 * @throws QuorateError `refused-to-start` when the addresses belong to different clusters
 */
export function placeIn(name: string, addresses: readonly string[], answers: readonly Answer[]): Found {
  const given = answers.filter((answer) => 'members' in answer);
  const [first] = given;
  if (first === undefined) return { kind: 'nothing-yet', message: nobodyAnswers(answers) };
  const { clusterId } = first;
  if (given.some((answer) => answer.clusterId !== clusterId)) {
    throw refusal('its members belong to different clusters', addresses);
  }
  const listed = new Map<bigint, MemberDescription>();
  for (const { members } of given) {
    for (const member of members) if (member.name === name) listed.set(member.id, member);
  }
  const [self] = listed.values();
  const add = 'on a member, run: quorate member add, or quorate member replace';
  if (self === undefined) return { kind: 'nothing-yet', message: `the cluster lists no member ${name}; ${add}` };
  if (listed.size === 1) return { kind: 'place', place: { clusterId, self } };
  return { kind: 'nothing-yet', message: `the cluster lists more than one member ${name}; remove one, or ${add}` };
}

function nobodyAnswers(answers: readonly Answer[]): string {
  return `nobody answers there: ${answers.map((answer) => ('error' in answer ? answer.error : '')).join('; ')}`;
}

/** Never rejects. */
async function askMembers(address: string, tls: ClientTlsOptions | false): Promise<Answer> {
  let client: QuorateClient | undefined;
  try {
    client = new QuorateClient({ endpoints: [address], tls, timeoutMs: askTimeoutMs, maxAttempts: 2 });
    return await client.cluster.members();
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  } finally {
    client?.close();
  }
}

function refusal(message: string, addresses: readonly string[]): QuorateError {
  const actual = addresses.join(',');
  return new QuorateError('refused-to-start', `--join ${actual}: ${message}`, { details: { field: 'join', actual } });
}

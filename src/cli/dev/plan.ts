/** The plan of a development cluster: names, ports, directories and the command line of each member. Pure. */
import { join } from 'node:path';

/** The most members `quorate dev` starts. */
export const MAX_MEMBERS = 9;

/** What the user asked for. */
export interface DevRequest {
  readonly memberCount: number;
  /** The first member's client port; peers and the other members take the ports after it. */
  readonly basePort: number;
  readonly dataDir: string;
}

/** One member, before it is started. */
export interface MemberPlan {
  readonly name: string;
  readonly clientAddress: string;
  readonly peerAddress: string;
  readonly dataDir: string;
  readonly logFile: string;
  /** Arguments of `quorate` that start it. */
  readonly serveArguments: readonly string[];
}

/** A whole cluster, before it is started. */
export interface DevPlan {
  readonly dataDir: string;
  readonly members: readonly MemberPlan[];
  /** Every port that must be free. */
  readonly ports: readonly number[];
}

const HOST = '127.0.0.1';

/** The cluster's name: part of its identity, so it must never change for a data directory. */
export const CLUSTER_NAME = 'dev';

/** Client ports are B, B+2, B+4 and so on, peer ports the ones after them. */
export function planCluster(request: DevRequest): DevPlan {
  const seats = memberNames(request.memberCount).map((name, position) => ({
    name,
    clientAddress: `${HOST}:${String(request.basePort + 2 * position)}`,
    peerAddress: `${HOST}:${String(request.basePort + 2 * position + 1)}`,
  }));
  const initialMembers = seats.map((seat) => `${seat.name}=${seat.peerAddress}/${seat.clientAddress}`).join(',');
  const members = seats.map((seat) => {
    const dataDir = join(request.dataDir, seat.name);
    const serveArguments = serveArgumentsOf(seat, dataDir, initialMembers);
    return { ...seat, dataDir, logFile: join(request.dataDir, `${seat.name}.log`), serveArguments };
  });
  const ports = Array.from({ length: 2 * request.memberCount }, (_, offset) => request.basePort + offset);
  return { dataDir: request.dataDir, members, ports };
}

/** The largest base port that leaves room for all ports. */
export function maxBasePort(memberCount: number): number {
  return 65_536 - 2 * memberCount;
}

/** `m1`, `m2` and so on: part of the members' identities, so they must never change for a data directory. */
export function memberNames(memberCount: number): string[] {
  return Array.from({ length: memberCount }, (_, position) => `m${String(position + 1)}`);
}

function serveArgumentsOf(
  seat: Pick<MemberPlan, 'name' | 'clientAddress' | 'peerAddress'>,
  dataDir: string,
  initialMembers: string,
): string[] {
  return [
    'serve',
    ...['--name', seat.name],
    ...['--cluster-name', CLUSTER_NAME],
    ...['--data-dir', dataDir],
    ...['--client-listen', seat.clientAddress],
    ...['--peer-listen', seat.peerAddress],
    ...['--initial-members', initialMembers],
  ];
}

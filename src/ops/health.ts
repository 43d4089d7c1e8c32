/** `grpc.health.v1`: whether this member can serve, for load balancers and probes. */
import type { Server } from '@grpc/grpc-js';
import { HealthImplementation, type ServingStatus } from 'grpc-health-check';
import type { Scheduler, Timer } from '../base/clock';

/** Takes services, as grpc-js's server does. */
type ServiceTaker = Pick<Server, 'addService'>;

/** Names that mean: this member is in contact with a quorum, so reads and writes work. The empty name is the whole member. */
export const quorumServices = [
  '',
  'readiness',
  'quorate.v1.KVService',
  'quorate.v1.LeaseService',
  'quorate.v1.LockService',
  'quorate.v1.ElectionService',
  'etcdserverpb.KV',
  'etcdserverpb.Lease',
  'etcdserverpb.Watch',
  'v3lockpb.Lock',
  'v3electionpb.Election',
] as const;

/** Names that mean: the process is alive. Never about the quorum, so a probe restarts no member for what others lack. */
export const livenessServices = [
  'liveness',
  'quorate.v1.ClusterService',
  'quorate.v1.MaintenanceService',
  'etcdserverpb.Cluster',
  'etcdserverpb.Maintenance',
  'etcdserverpb.Auth',
] as const;

/** What the health service follows. */
export interface HealthOptions {
  readonly scheduler: Scheduler;
  /** True while reads and writes can work. Read every `intervalMs`. */
  hasQuorum(): boolean;
  readonly intervalMs: number;
}

/** Answers health checks and watches. */
export class Health {
  readonly #options: HealthOptions;
  readonly #implementation: HealthImplementation;
  #serving = false;
  #timer: Timer | undefined;

  constructor(options: HealthOptions) {
    this.#options = options;
    const initial = new Map<string, ServingStatus>();
    for (const name of quorumServices) initial.set(name, 'NOT_SERVING');
    for (const name of livenessServices) initial.set(name, 'SERVING');
    this.#implementation = new HealthImplementation(Object.fromEntries(initial));
  }

  addToServer(server: ServiceTaker): void {
    // It asks for a whole server, and adds a service.
    const addition: { addToServer(server: ServiceTaker): void } = this.#implementation;
    addition.addToServer(server);
  }

  /** Begins to follow the member. */
  start(): void {
    this.#set(this.#options.hasQuorum());
    this.#timer = this.#options.scheduler.after(this.#options.intervalMs, () => {
      this.start();
    });
  }

  /** Tells everybody that this member serves no more, before it drains. */
  stop(): void {
    this.#timer?.cancel();
    this.#set(false);
  }

  #set(serving: boolean): void {
    if (serving === this.#serving) return;
    this.#serving = serving;
    for (const name of quorumServices) this.#implementation.setStatus(name, serving ? 'SERVING' : 'NOT_SERVING');
  }
}

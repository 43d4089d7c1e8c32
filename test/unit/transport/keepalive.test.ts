/** How soon a silent connection is given up, by the times of the core. */
import { keepaliveFor } from '../../../src/transport/grpc-transport-options';

describe('keepaliveFor', () => {
  it('checks every three heartbeats, and waits for an election timeout', () => {
    const keepalive = keepaliveFor({ heartbeatIntervalMs: 100, electionTimeoutMs: 1000 });
    expect(keepalive).toEqual({ keepaliveIntervalMs: 300, keepaliveTimeoutMs: 1000 });
  });

  it('follows slower clusters, so that a slow line breaks no connection', () => {
    const keepalive = keepaliveFor({ heartbeatIntervalMs: 1000, electionTimeoutMs: 10_000 });
    expect(keepalive).toEqual({ keepaliveIntervalMs: 3000, keepaliveTimeoutMs: 10_000 });
  });

  it('bears the pauses of a process however quick the cluster is', () => {
    const keepalive = keepaliveFor({ heartbeatIntervalMs: 5, electionTimeoutMs: 50 });
    expect(keepalive).toEqual({ keepaliveIntervalMs: 100, keepaliveTimeoutMs: 500 });
  });
});

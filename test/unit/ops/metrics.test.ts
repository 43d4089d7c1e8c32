import { status as grpcStatus } from '@grpc/grpc-js';
import { metricsPage, type MetricsSources } from '../../../src/ops/metrics';
import { fakeStatus } from '../../support/fake-member';

const sources: MetricsSources = {
  status: () => ({
    ...fakeStatus,
    role: 'leader',
    peers: [
      { id: 7n, state: 'replicate', matchIndex: 9, silentMs: 1500 },
      { id: 8n, state: 'probe', matchIndex: 0, silentMs: 0 },
    ],
  }),
  nameOf: (id) => (id === 7n ? 'm"7\\' : undefined),
  store: {
    ...{ revision: 21, compactRevision: 5, quotaBytes: 1000, keyCount: 4, leaseCount: 2, requestCount: 3 },
    alarms: [{ memberId: 1n, alarm: 'no-space' }],
    sizeBytes: () => 900,
    sizeInUseBytes: () => 800,
  },
  logSizeBytes: () => 700,
  calls: {
    inFlight: 6,
    answered: new Map([
      [grpcStatus.OK, 40],
      [grpcStatus.UNAVAILABLE, 2],
    ]),
  },
  watches: { size: 11, totalQueuedBytes: 123 },
  frontEnds: () => ({ running: 3, restarts: 9 }),
  version: '1.2.3',
};

/** The lines of a page that are no comment. */
async function lines(): Promise<string[]> {
  return (await metricsPage(sources).read()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

describe('the page of metrics', () => {
  it('is in the text format of Prometheus', () => {
    expect(metricsPage(sources).contentType).toBe('text/plain; version=0.0.4; charset=utf-8');
  });

  it('tells how the member stands, what the store holds, and what waits', async () => {
    expect(await lines()).toEqual(
      expect.arrayContaining([
        'quorate_is_leader 1',
        'quorate_has_leader 1',
        'quorate_term 5',
        'quorate_commit_index 11',
        'quorate_log_entries 12',
        'quorate_log_bytes 700',
        'quorate_state_in_use_bytes 800',
        'quorate_revision 21',
        'quorate_front_ends 3',
        'quorate_front_end_restarts_total 9',
        'quorate_alarms{kind="no-space"} 1',
        'quorate_unary_calls_total{code="OK"} 40',
        'quorate_unary_calls_total{code="UNAVAILABLE"} 2',
        'quorate_watch_queue_bytes 123',
        'quorate_info{version="1.2.3"} 1',
      ]),
    );
  });

  it('tells of every peer by its name, or by its id as long as it has none', async () => {
    expect(await lines()).toEqual(
      expect.arrayContaining([
        'quorate_peer_match_index{peer="m\\"7\\\\"} 9',
        'quorate_peer_silent_seconds{peer="m\\"7\\\\"} 1.5',
        'quorate_peer_match_index{peer="8"} 0',
      ]),
    );
  });

  it('has the names that dashboards for etcd ask for, and those of the process', async () => {
    const names = (await lines()).map((line) => line.split(/[ {]/)[0]);
    expect(names).toEqual(
      expect.arrayContaining([
        'etcd_server_has_leader',
        'etcd_mvcc_db_total_size_in_bytes',
        'process_resident_memory_bytes',
        'nodejs_eventloop_lag_p99_seconds',
      ]),
    );
  });

  it('looks anew each time', async () => {
    let commitIndex = 1;
    const page = metricsPage({ ...sources, status: () => ({ ...fakeStatus, commitIndex }) });
    expect(await page.read()).toContain('\nquorate_commit_index 1\n');
    commitIndex = 2;
    const second = await page.read();
    expect(second).toContain('\nquorate_commit_index 2\n');
    expect(second).not.toContain('quorate_peer_match_index{');
  });
});

// What a comparison consists of: parts, each with fresh clusters of both systems.

/** What `npm run bench:compare -- --page` measures. */
export const pageParts = [
  { title: 'All loads, sent to the leader', inFlights: [1, 16, 64, 256] },
  {
    title: 'Spread over all members',
    target: 'spread',
    cells: ['put', 'get', 'stale-get'],
    inFlights: [64, 256],
  },
  { title: 'Values of 16 KiB', valueBytes: 16 * 1024, cells: ['put', 'get'], inFlights: [1, 64] },
  { title: 'After a million revisions', aged: 1_000_000, cells: ['put', 'get'], inFlights: [64, 256] },
  { title: 'TLS on', tls: true, cells: ['put', 'get'], inFlights: [1, 16, 64, 256] },
];

/** How often the leader is killed, for the page. */
export const failovers = 5;

/** How a member is started again, for the page. */
export const startups = { keys: 1_000_000, valueBytes: 64, rounds: 3 };

/** What etcdctl is asked, verb by verb, in an order: both clusters go through the same revisions. */

/**
 * A command line. What follows ` < ` is given on standard input, with `\n` for its ends of lines; `$LEASE` and `$MEMBER` are
 * the ids that the cluster gave last.
 */
export type Line = string;

const sorts = ['CREATE', 'KEY', 'MODIFY', 'VALUE', 'VERSION'];

/** Verbs that end by themselves. */
export const scripts: readonly (readonly [verb: string, lines: readonly Line[]])[] = [
  [
    'put',
    [
      'put a 1',
      'put a 2 --prev-kv',
      'put a --prev-kv -w json < from standard input',
      'put a --ignore-value -w fields',
      'put missing --ignore-value',
      'put a 3 --ignore-value',
      'put a x --lease=1234abcd',
      'put a --ignore-lease -w json < y',
      'put',
    ],
  ],
  [
    'get',
    [
      ...[1, 2, 3, 4, 5].map((at) => `put g/${at} ${6 - at}`),
      'get g/1',
      'get g/1 -w json',
      'get g/1 -w fields',
      'get g/1 --print-value-only',
      'get nothing',
      'get nothing -w json',
      'get g/ --prefix',
      'get g/2 g/4',
      'get g/3 --from-key',
      'get g/ --prefix --keys-only',
      'get g/ --prefix --limit=2 -w json',
      'get g/ --prefix --order=DESCEND',
      ...sorts.map((by) => `get g/ --prefix --order=DESCEND --sort-by=${by}`),
      'get g/ --prefix --print-value-only',
      'get g/ --prefix --consistency=s',
      'get g/ --prefix --rev=8',
      'get g/ --prefix --rev=100000',
      'get',
    ],
  ],
  [
    'del',
    [
      'del g/1',
      'del g/1',
      'del g/2 --prev-kv',
      'del g/3 g/4 -w json --prev-kv',
      'del g/ --prefix',
      'put zz 1',
      'del zy --from-key -w fields',
      'del',
    ],
  ],
  [
    'txn',
    [
      'txn < mod("a") > "0"\\n\\nput t 1\\nget a\\n\\nput t 2\\n\\n',
      'txn -w json < value("t") = "1"\\ncreate("t") > "0"\\nversion("t") = "1"\\n\\ndel t --prev-kv\\n\\nget t\\n\\n',
      'txn < value("t") = "1"\\n\\nput t 1\\n\\nget t\\nput t 3\\n\\n',
      'txn < lease("t") = "0"\\n\\nget t\\n\\n\\n',
      'txn < \\nput twice 1\\nput twice 2\\n\\n\\n',
    ],
  ],
  [
    'compaction',
    [
      'compaction 5',
      'compaction 5',
      'compaction 9 --physical',
      'compaction 100000',
      'get a --rev=4',
      'get a --rev=9',
      'compaction',
    ],
  ],
  // etcd 3.4 forgets the header of an answer about alarms, which shows in JSON.
  ['alarm', ['alarm list', 'alarm disarm']],
  // Up to here no lease is attached: the ids of leases are part of the hash. (With --cluster, etcdctl 3.4 calls a member by
  // a URL where a host belongs, which Node's HTTP/2 refuses: see docs/etcd.md.)
  ['endpoint hashkv', ['endpoint hashkv', 'endpoint hashkv --rev=12 -w json']],
  [
    'endpoint',
    ['endpoint health', 'endpoint health --cluster -w json', 'endpoint status', 'endpoint status -w fields'],
  ],
  ['member list', ['member list']],
  ['defrag', ['defrag', 'get a']],
  ['version', ['version']],
  [
    'auth',
    [
      ...['user list', 'user list -w json', 'user get nobody', 'user delete nobody', 'user passwd nobody < secret'],
      ...['user grant-role nobody none', 'user revoke-role nobody none', 'role list', 'role list -w json'],
      ...['role get none', 'role delete none', 'role grant-permission none read a', 'role revoke-permission none a'],
      ...['auth enable', 'auth disable'],
    ],
  ],
  ['watch', ['watch w/ --prefix --rev=2']],
  [
    'lease',
    [
      'lease grant 1000',
      'put l/1 x --lease=$LEASE',
      'get l/1 -w fields',
      'lease timetolive $LEASE',
      'lease timetolive $LEASE --keys',
      'lease timetolive $LEASE --keys -w json',
      'put l/2 y --lease=$LEASE',
      'lease keep-alive --once $LEASE',
      'lease list',
      'lease revoke $LEASE',
      'get l/ --prefix',
      'lease revoke $LEASE',
      'lease timetolive $LEASE',
      'lease keep-alive --once $LEASE',
      'lease list',
      'lease grant 9000000001',
      'lease grant many',
      'lease revoke 1234abcd',
    ],
  ],
  ['lock', ['lock name echo held', 'lock name --ttl=20 false', 'get name --prefix']],
];

/**
 * Watches, and how many lines each prints until it is stopped. Only in forms that do not show which events came in one
 * message: that depends on when each server looks.
 */
export const watches: readonly (readonly [line: Line, lines: number])[] = [
  ['watch w/ --prefix --rev=$START', 12],
  ['watch w/ --prefix --prev-kv --rev=$START', 16],
  ['watch w/1 w/3 --rev=$START', 12],
];

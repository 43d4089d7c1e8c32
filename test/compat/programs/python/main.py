"""A program on Debian's python3-etcd3 that uses all of it: what it prints has to be the same against any etcd."""

from coordination import leases, locks
from failover import failover
from keys import keys, others, transactions
from session import connect
from watches import compacted_watch, watches

etcd = connect()
for section in [keys, transactions, watches, compacted_watch, leases, locks, others, failover]:
    print(f"# {section.__name__}", flush=True)
    section(etcd)

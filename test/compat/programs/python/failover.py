"""The leader dies while the program writes, watches, and keeps a lease and a lock."""

from session import COUNT, persist, say, until


class Follower:
    """A watch that is made again, from where it was, whenever its stream ends."""

    def __init__(self, etcd, revision):
        self.etcd = etcd
        self.next = revision
        self.seen = []
        self.order = []
        self.ended = False
        self.begin()

    def begin(self):
        self.ended = False
        self.etcd.add_watch_callback("f/", self.note, range_end="f0", start_revision=self.next)

    def note(self, response):
        if not hasattr(response, "events"):
            self.ended = True
            return
        for event in response.events:
            self.next = event.mod_revision + 1
            self.order.append(event.mod_revision)
            self.seen.append(event.key)


def failover(etcd):
    follower = Follower(etcd, etcd.put("start", "x").header.revision)
    lease = etcd.lease(60)
    etcd.put("kept", "by a lease", lease)
    lock = etcd.lock("held", ttl=60)
    lock.acquire()
    print("the leader may die", flush=True)
    for at in range(COUNT):
        persist(lambda: etcd.put(f"f/{at}", str(at)))
        persist(lambda: add_one(etcd, at))

    def all_seen():
        if follower.ended:
            persist(follower.begin)
        return len(set(follower.seen)) == COUNT

    until("every write is seen", all_seen)
    say("written", persist(lambda: len(list(etcd.get_prefix("f/")))))
    say("seen", len(set(follower.seen)))
    say("in order", all(one < other for one, other in zip(follower.order, follower.order[1:])))
    say("sum", persist(lambda: etcd.get("sum")[0]))
    say("lease", [persist(lambda: etcd.get("kept")[0]), persist(lambda: [r.TTL for r in lease.refresh()])])
    say("lock", [persist(lock.is_acquired), persist(lambda: etcd.lock("held").acquire(timeout=0))])
    say("released", [persist(lock.release), persist(lock.is_acquired)])


def add_one(etcd, at):
    """Adds one for each number, once, although an answer may be lost: what was added last is kept beside the sum."""
    of = etcd.transactions
    while (etcd.get("added")[0] or b"") != str(at).encode():
        total, meta = etcd.get("sum")
        unchanged = of.mod("sum") == (meta.mod_revision if meta else 0)
        added = [of.put("sum", str(int(total or 0) + 1)), of.put("added", str(at))]
        etcd.transaction(compare=[unchanged], success=added, failure=[])

"""Leases and locks."""

import threading

from session import clear, say, say_end, until

# Seconds; the shortest that etcd grants.
SHORTEST = 2


def leases(etcd):
    lease = etcd.lease(100)
    etcd.put("l/1", "x", lease)
    etcd.put("l/2", "y", lease.id)
    say("granted", [lease.ttl, lease.granted_ttl, 90 < lease.remaining_ttl <= 100, sorted(lease.keys)])
    say("refreshed", [response.TTL for response in lease.refresh()])
    etcd.put("l/2", "free")
    say("kept", [etcd.get("l/1")[1].lease_id == lease.id, etcd.get("l/2")[1].lease_id])
    lease.revoke()
    say("revoked", [etcd.get("l/1")[0], etcd.get("l/2")[0], lease.remaining_ttl])
    say("refreshed too late", [response.TTL for response in lease.refresh()])
    say_end("put to a revoked one", lambda: etcd.put("l/3", "x", lease).header.revision)
    say_end("revoked twice", lease.revoke)
    chosen = etcd.lease(100, lease_id=4711)
    say("chosen id", chosen.id)
    say_end("id taken", lambda: etcd.lease(100, lease_id=4711).id)
    chosen.revoke()
    short = etcd.lease(SHORTEST)
    gone = []
    etcd.add_watch_callback("l/short", lambda response: gone.extend(response.events), prev_kv=True)
    etcd.put("l/short", "x", short)
    until("the lease has run out", lambda: len(gone) >= 2)
    say("ran out", [[event.value, event.prev_value] for event in gone])
    say("then", [etcd.get("l/short")[0], short.remaining_ttl])
    clear(etcd)


def locks(etcd):
    """Without the lock's own way to wait, which fails with the retry library that Debian has beside it."""
    one, other = etcd.lock("mutex", ttl=20), etcd.lock("mutex", ttl=20)
    say("acquired", [one.acquire(), one.is_acquired(), other.is_acquired()])
    say("refreshed", [response.TTL for response in one.refresh()])
    say("held by another", other.acquire(timeout=0))
    waiting = threading.Thread(target=lambda: until("it is free", lambda: other.acquire(timeout=0)))
    waiting.start()
    say("released", one.release())
    waiting.join()
    say("then", [one.is_acquired(), other.is_acquired(), one.release(), other.release()])
    with etcd.lock("mutex", ttl=20) as held:
        say("within", held.is_acquired())
    say("after it", held.is_acquired())
    lost = etcd.lock("mutex", ttl=SHORTEST)
    lost.acquire()
    until("the lock is lost", lambda: not lost.is_acquired())
    say("lost", lost.release())
    clear(etcd)

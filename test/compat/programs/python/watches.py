"""Watches: of a key, a prefix and a range, from the past, with what was before, and their ends."""

import etcd3
from session import ENDPOINTS, clear, connect, say, say_end, until


def text(event):
    kind = "put" if isinstance(event, etcd3.events.PutEvent) else "delete"
    before = f", was {event.prev_value.decode()}" if event.prev_key else ""
    return f"{kind} {event.key.decode()}={event.value.decode()} at {event.mod_revision}, version {event.version}{before}"


def follow(etcd, key, **options):
    """Notes what a watch is told."""
    told = []

    def note(response):
        told.extend([text(event) for event in response.events] if hasattr(response, "events") else [str(response)])

    return told, etcd.add_watch_callback(key, note, **options)


def watches(etcd):
    first = etcd.put("w/1", "past").header.revision
    etcd.put("w/2", "past")
    etcd.delete("w/1")
    from_past = dict(range_end="w0", start_revision=first)
    followed = {
        "key": (follow(etcd, "w/1"), 3),
        "prefix": (follow(etcd, "w/", range_end="w0"), 7),
        "range": (follow(etcd, "w/2", range_end="w/3"), 2),
        "from the past": (follow(etcd, "w/", **from_past), 10),
        "with what was before": (follow(etcd, "w/", prev_kv=True, **from_past), 10),
    }
    etcd.put("w/1", "present")
    put, delete = etcd.transactions.put("w/3", "both"), etcd.transactions.delete("w/2")
    etcd.transaction(compare=[], success=[put, delete], failure=[])
    etcd.put("w/2", "again")
    etcd.put("w/1", "done")
    etcd.delete("w/1")
    etcd.delete("w/3")
    for name, ((told, watch_id), least) in followed.items():
        until(name, lambda: len(told) >= least)
        etcd.cancel_watch(watch_id)
    etcd.put("w/1", "nobody sees this")
    for name, ((told, _), _) in followed.items():
        say(name, told)
    iterated(etcd)


def iterated(etcd):
    events, cancel = etcd.watch_prefix("i/")
    for at in range(3):
        etcd.put(f"i/{at}", "x")
    seen = []
    for event in events:
        seen.append(text(event))
        if len(seen) == 3:
            cancel()
    say("iterator", seen)
    say_end("nothing in time", lambda: etcd.watch_once("never there", timeout=0.2))


def compacted_watch(_):
    """Through one member, as another one may not have compacted yet."""
    etcd = connect(ENDPOINTS[:1])
    revision = etcd.put("c", "1").header.revision
    etcd.put("c", "2")
    etcd.compact(revision + 1)
    say_end("compact again", lambda: etcd.compact(revision))
    told, _ = follow(etcd, "c", start_revision=revision)
    until("the end of the watch", lambda: len(told) > 0)
    say("compacted", told)
    late, _ = follow(etcd, "c")
    clear(etcd)
    until("the delete", lambda: len(late) > 0)
    say("after it", late)

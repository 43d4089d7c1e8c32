"""Puts, ranges, deletes, transactions, and what concerns the cluster itself."""

import io

from session import ENDPOINTS, clear, connect, say, say_end


def bare(meta):
    """What is known of a key, without ids that no two clusters share."""
    return [meta.key, meta.create_revision, meta.mod_revision, meta.version, meta.lease_id != 0]


def listed(pairs):
    return [[value, bare(meta)] for value, meta in pairs]


def keys(etcd):
    say("put", etcd.put("k/1", "one").header.revision)
    for at in range(2, 6):
        etcd.put(f"k/{at}", str(9 - at))
    say("previous", etcd.put("k/1", "uno", prev_kv=True).prev_kv.value)
    value, meta = etcd.get("k/1")
    say("get", [value, bare(meta), meta.response_header.revision])
    say("serializable", etcd.get("k/1", serializable=True)[0])
    say("nothing", etcd.get("never there"))
    say("bytes", [etcd.put(b"k/\xff", b"\x00\x80").header.revision, etcd.get(b"k/\xff")[0]])
    say("prefix", listed(etcd.get_prefix("k/")))
    say("keys only", listed(etcd.get_prefix("k/", keys_only=True)))
    for target in ["key", "version", "create", "mod", "value"]:
        found = etcd.get_prefix("k/", sort_order="descend", sort_target=target)
        say(f"descending by {target}", [meta.key for _, meta in found])
    say("range", [meta.key for _, meta in etcd.get_range("k/2", "k/4")])
    say("all", [meta.key for _, meta in etcd.get_all()])
    say("if not there", [etcd.put_if_not_exists("k/6", "x"), etcd.put_if_not_exists("k/6", "y"), etcd.get("k/6")[0]])
    say("replaced", [etcd.replace("k/6", "x", "z"), etcd.replace("k/6", "x", "w"), etcd.get("k/6")[0]])
    say("delete", [etcd.delete("k/1"), etcd.delete("k/1")])
    deleted = etcd.delete("k/2", prev_kv=True, return_response=True)
    say("delete with what was before", [deleted.deleted, [kv.value for kv in deleted.prev_kvs]])
    say("delete prefix", etcd.delete_prefix("k/").deleted)
    say("left", listed(etcd.get_all()))


def transactions(etcd):
    of = etcd.transactions
    etcd.put("t", "1")
    both = dict(success=[of.put("t", "2"), of.get("t"), of.delete("u")], failure=[of.get("t"), of.put("u", "3")])
    for attempt in ["holds", "holds no longer"]:
        succeeded, responses = etcd.transaction(compare=[of.value("t") == "1", of.version("t") < 2], **both)
        say(attempt, [succeeded, [shown(response) for response in responses]])
    compares = [of.create("none") == 0, of.mod("t") > 1, of.version("t") != 7, of.value("t", "u") > "0"]
    say("compares", etcd.transaction(compare=compares, success=[], failure=[]))
    inner = of.txn(compare=[of.version("u") > 0], success=[of.get("u")], failure=[of.delete("t")])
    succeeded, responses = etcd.transaction(compare=[], success=[inner, of.put("v", "4")], failure=[])
    say("nested", [succeeded, responses[0].response_txn.succeeded, len(responses)])
    twice = dict(compare=[], success=[of.put("t", "x"), of.put("t", "y")], failure=[])
    say_end("a key twice", lambda: etcd.transaction(**twice))
    say_end("an empty key", lambda: etcd.put("", "x").header.revision)
    clear(etcd)


def shown(response):
    if isinstance(response, list):
        return listed(response)
    return response.WhichOneof("response")


def others(etcd):
    one = connect(ENDPOINTS[:1])
    status = one.status()
    say("status", [status.db_size > 0, status.leader is not None, status.raft_index > 0, status.raft_term > 0])
    say("members", sorted(member.name for member in etcd.members))
    say("their URLs", [len(member.peer_urls) + len(member.client_urls) for member in etcd.members])
    say("hash", isinstance(one.hash(), int))
    say("defragment", one.defragment())
    copy = io.BytesIO()
    one.snapshot(copy)
    say("snapshot", len(copy.getvalue()) > 1000)
    say("alarms", list(etcd.list_alarms()))
    # About a member: one about none would be the quota's, which clears it by itself in quorate (docs/etcd.md).
    etcd.create_alarm(member_id=1)
    say("raised", [alarm.alarm_type for alarm in etcd.list_alarms()])
    say_end("put meanwhile", lambda: etcd.put("k", "v").header.revision)
    etcd.disarm_alarm(member_id=1)
    say("disarmed", list(etcd.list_alarms()))
    etcd.put("k", "v")
    one.close()

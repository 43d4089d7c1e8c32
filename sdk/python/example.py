"""A tour of quorate from Python: put, get, watch, transactions and leases, with request ids and safe repetition.

    python3 example.py 127.0.0.1:2379 127.0.0.1:2381 127.0.0.1:2383

Stubs: see buf.gen.yaml. Everything between here and `main` is what a program needs beside them.
"""

import os
import sys
import threading
import time
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "gen"))

import grpc
from google.rpc import error_details_pb2, status_pb2
from quorate.v1 import kv_pb2, kv_pb2_grpc, lease_pb2, lease_pb2_grpc

ATTEMPT_S = 2.0
"""How long one attempt may take. Short, so that a member that has just died costs little."""

PATIENCE_S = 30.0
"""How long a call is repeated."""

PAUSE_S = 0.1
"""How long to wait before the next attempt."""

PASSING = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.DEADLINE_EXCEEDED}
"""What may go away by itself."""


def new_request_id():
    """A UUID of version 7 (RFC 9562): a name for one intended change, kept when it is repeated."""
    random = int.from_bytes(os.urandom(10), "big")
    milliseconds = time.time_ns() // 1_000_000
    number = (milliseconds << 80) | (random & ~(0xF << 76) & ~(0x3 << 62))
    return str(uuid.UUID(int=number | (0x7 << 76) | (0x2 << 62)))


def reason_of(error):
    """The stable reason of an error and its outcome, `not-done` or `unknown`."""
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            for detail in status_pb2.Status.FromString(value).details:
                info = error_details_pb2.ErrorInfo()
                if detail.Unpack(info):
                    return info.reason, info.metadata.get("outcome")
    # Not from a member: the connection broke, or nobody answered in time.
    return error.code().name, "unknown"


class Cluster:
    """Any member takes any call, so a call that fails goes to the next one.

    With `credentials` (of `grpc.ssl_channel_credentials`) it speaks TLS.
    """

    def __init__(self, endpoints, credentials=None):
        self.channels = [
            grpc.insecure_channel(endpoint) if credentials is None else grpc.secure_channel(endpoint, credentials)
            for endpoint in endpoints
        ]
        self.current = 0

    def call(self, stub, method, request):
        """Calls until it is answered.

        Repeating is safe for reads, and for mutations with a `request_id`: whichever attempt took effect, the change is
        made once, and its answer is the same.
        """
        give_up_at = time.monotonic() + PATIENCE_S
        while True:
            try:
                return getattr(stub(self.channel()), method)(request, timeout=ATTEMPT_S)
            except grpc.RpcError as error:
                if error.code() not in PASSING or time.monotonic() > give_up_at:
                    raise
                self.current += 1
                time.sleep(PAUSE_S)

    def channel(self):
        return self.channels[self.current % len(self.channels)]


def watch(cluster, prefix, start_revision, on_event):
    """Tells every change below a prefix, in order, for ever: when the stream breaks, it goes on after the last message."""
    resume_token = ""
    while True:
        request = kv_pb2.WatchRequest(prefix=prefix)
        if resume_token:
            request.resume_token = resume_token
        else:
            request.start_revision = start_revision
        try:
            for message in kv_pb2_grpc.KVServiceStub(cluster.channel()).Watch(request):
                for event in message.events.events:
                    on_event(event)
                resume_token = message.resume_token
        except grpc.RpcError as error:
            if error.code() not in PASSING:
                raise
        cluster.current += 1
        time.sleep(PAUSE_S)


def credentials_from_environment():
    """What QUORATE_CA_FILE, QUORATE_CERT_FILE and QUORATE_KEY_FILE name; without the first, plain text."""
    ca, key, cert = (read_file(f"QUORATE_{what}_FILE") for what in ("CA", "KEY", "CERT"))
    return None if ca is None else grpc.ssl_channel_credentials(ca, key, cert)


def read_file(variable):
    path = os.environ.get(variable)
    if path is None:
        return None
    with open(path, "rb") as file:
        return file.read()


def main(endpoints):
    credentials = credentials_from_environment()
    cluster = Cluster(endpoints, credentials)
    kv, leases = kv_pb2_grpc.KVServiceStub, lease_pb2_grpc.LeaseServiceStub

    # Put and get; the same put again is recognised.
    put = kv_pb2.PutRequest(key="python/greeting", text="hello", request_id=new_request_id())
    first = cluster.call(kv, "Put", put)
    again = cluster.call(kv, "Put", put)
    print(f"put: replayed {first.replayed}, then {again.replayed}; same revision {first.revision == again.revision}")
    got = cluster.call(kv, "Get", kv_pb2.GetRequest(key="python/greeting"))
    print(f"get: {got.kv.text}")

    # Watch from the first put on: its past is told, too.
    seen, enough = [], threading.Event()

    def on_event(event):
        seen.append(f"{event.kv.key}={event.kv.text}")
        if len(seen) == 2:
            enough.set()

    # A cluster of its own, since a thread of its own uses it.
    arguments = (Cluster(endpoints, credentials), "python/greeting", first.revision, on_event)
    threading.Thread(target=watch, args=arguments, daemon=True).start()

    # Transaction: replace the value only if nobody has changed it.
    compare = kv_pb2.Compare(key="python/greeting", mod_revision=first.revision)
    replace = kv_pb2.Operation(put=kv_pb2.PutOperation(key="python/greeting", text="hello again"))
    swap = kv_pb2.TxnRequest(compares=[compare], success=[replace], request_id=new_request_id())
    print(f"txn: succeeded {cluster.call(kv, 'Txn', swap).succeeded}")
    swap.request_id = new_request_id()
    print(f"txn: succeeded {cluster.call(kv, 'Txn', swap).succeeded}")
    enough.wait(PATIENCE_S)
    print(f"watch: {seen}")

    # Lease: the key ends with it.
    grant = lease_pb2.GrantRequest(request_id=new_request_id())
    grant.ttl.FromSeconds(10)
    lease_id = cluster.call(leases, "Grant", grant).lease_id
    alive = kv_pb2.PutRequest(key="python/alive", text="yes", lease_id=lease_id, request_id=new_request_id())
    cluster.call(kv, "Put", alive)
    renewals = leases(cluster.channel()).KeepAlive(iter([lease_pb2.KeepAliveRequest(lease_ids=[lease_id])]))
    print(f"lease: kept alive {[lease.found for answer in renewals for lease in answer.leases]}")
    cluster.call(leases, "Revoke", lease_pb2.RevokeRequest(lease_id=lease_id, request_id=new_request_id()))
    print(f"lease: key left {cluster.call(kv, 'Get', kv_pb2.GetRequest(key='python/alive')).found}")

    # Errors: a condition that does not hold.
    try:
        cluster.call(kv, "Put", kv_pb2.PutRequest(key="python/greeting", text="new", if_absent=True))
    except grpc.RpcError as error:
        print("error:", *reason_of(error))

    # Many changes, each with an id: members may die meanwhile, and each is made once.
    count = int(os.environ.get("COUNT", "100"))
    print("counting", flush=True)
    for _ in range(count):
        request = kv_pb2.PutRequest(key="python/count", text="", request_id=new_request_id())
        version = cluster.call(kv, "Put", request).version
    print(f"count: {version} of {count}")


if __name__ == "__main__":
    main(sys.argv[1:] or ["127.0.0.1:2379"])

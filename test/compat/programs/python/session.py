"""What the program has in common in all its parts: a client, lines to compare, and patience."""

import json
import os
import time

import etcd3

ENDPOINTS = os.environ["ENDPOINTS"].split(",")
# How many writes the program does while the leader dies.
COUNT = int(os.environ.get("COUNT", "100"))


def connect(endpoints=None):
    """A client of several members: as gRPC names several addresses, since this client takes one host and port."""
    first, _, port = ("ipv4:" + ",".join(endpoints or ENDPOINTS)).rpartition(":")
    options = [("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 500)]
    return etcd3.client(host=first, port=port, timeout=5, grpc_options=options)


def plain(value):
    """Any value as JSON can hold it."""
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, dict):
        return {str(name): plain(field) for name, field in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def say(name, value):
    """One line of what is compared."""
    print(f"{name}: {json.dumps(plain(value))}", flush=True)


def say_end(name, attempt):
    """Says how a call ends: with a value or with an error."""
    try:
        say(name, attempt())
    except Exception as error:  # noqa: BLE001
        details = error.details() if hasattr(error, "details") else str(error)
        say(name, {"error": type(error).__name__, "details": details})


def persist(attempt):
    """Tries again what fails because a member is gone."""
    give_up_at = time.monotonic() + 60
    while True:
        try:
            return attempt()
        except Exception:  # noqa: BLE001
            if time.monotonic() > give_up_at:
                raise
            time.sleep(0.05)


def until(what, holds):
    """Waits until something holds."""
    give_up_at = time.monotonic() + 30
    while not holds():
        if time.monotonic() > give_up_at:
            raise TimeoutError(f"not within 30 s: {what}")
        time.sleep(0.02)


def clear(etcd):
    """Deletes all keys."""
    etcd.transaction(compare=[], success=[etcd.transactions.delete("\0", range_end="\0")], failure=[])

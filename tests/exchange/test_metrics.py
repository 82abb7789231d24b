"""What is always counted."""

import logging

import pytest

from node.exchange.metrics import BUCKETS, MAX_KINDS, RING, Metrics


def test_latencies_fall_into_buckets() -> None:
    metrics = Metrics()
    assert metrics.percentile(0.5) == 0.0
    metrics.took(3e-6, 90)
    metrics.took(1000e-6, 9)
    metrics.took(1e9, 1)
    assert sum(metrics.latency) == 100
    assert metrics.percentile(0.5) == 4e-6
    assert metrics.percentile(0.95) == 1024e-6
    assert metrics.percentile(1) == (1 << BUCKETS - 1) / 1e6
    metrics.took(0, 1)
    assert metrics.latency[0] == 1


def test_the_ring_is_bounded() -> None:
    metrics = Metrics()
    for index in range(1000):
        metrics.ring.append((float(index), b"ask", None, "127.0.0.1:1"))
    assert len(metrics.ring) == RING
    assert metrics.ring[0][0] == 1000 - RING


def fail(metrics: Metrics, kind: type[Exception], frame: bytes) -> None:
    try:
        raise kind("boom")
    except kind as exc:
        metrics.bug(exc, frame)


def test_a_bug_is_logged_once_with_its_frame(caplog: pytest.LogCaptureFixture) -> None:
    metrics = Metrics()
    with caplog.at_level(logging.ERROR):
        for _ in range(5):
            fail(metrics, ValueError, b"\xca\xfe")
        fail(metrics, KeyError, b"\xbe\xef")
    assert metrics.bugs == 6
    assert [record.getMessage() for record in caplog.records] == [
        "bug while serving frame cafe",
        "bug while serving frame beef",
    ]
    assert caplog.records[0].exc_info


def test_kinds_of_bugs_are_bounded(caplog: pytest.LogCaptureFixture) -> None:
    metrics = Metrics()
    for index in range(MAX_KINDS + 20):
        fail(metrics, type(f"Kind{index}", (Exception,), {}), b"")
    assert metrics.bugs == MAX_KINDS + 20
    assert len(caplog.records) == MAX_KINDS


def test_a_snapshot_names_every_counter() -> None:
    metrics = Metrics()
    metrics.requests = 3
    snapshot = metrics.snapshot()
    assert snapshot["requests"] == 3
    assert set(snapshot) == {
        *("requests", "errors", "bugs", "bytes_in", "bytes_out", "connections", "connections_total"),
        *("refused", "evicted", "timeouts"),
    }

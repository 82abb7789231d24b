"""Tells when shards are taken away: one watch of the run's StatefulSets, followed by one thread.

A pod that ends is the cluster's affair, which starts it again; a shard is gone when its set is. Whenever the watch had
to be begun anew, whoever waits for what is not there any more is told.
"""

import logging
from collections.abc import Iterable

from farm.backends.kubernetes_api import Cluster
from farm.backends.kubernetes_shards import INSTANCE, ROLE, SHARD, Run
from farm.backends.waiting import Waiter, Waiting
from farm.errors import FarmError
from node.control.messages import instance_number

log = logging.getLogger(__name__)

AGAIN = 1.0
"""Seconds before a watch that broke is begun again."""


class Watches(Waiting):
    """Everybody who waits for shards of a run."""

    def __init__(self, cluster: Cluster, run: Run) -> None:
        super().__init__("kubernetes-watch")  # which ends with its next event, and is not waited for
        self._cluster = cluster
        self._run = run

    def _follow(self) -> None:
        said = ""
        while not self._closed.is_set():
            try:
                self._listen()
                said = ""
            except (FarmError, ValueError, KeyError) as exc:
                if str(exc) != said:
                    said = str(exc)
                    log.warning("shards are not watched for now: %s", said)
            self._closed.wait(AGAIN)

    def _listen(self) -> None:
        """Until the server ends it, or says that it knows no more what was before."""
        labels = {**self._run.selector, ROLE: SHARD}
        waiting = self._all()  # whose shards were there before it is asked which are
        there, version = self._cluster.listed("StatefulSet", labels)
        numbers = {instance_number(_instance(body)) for body in there}
        _ring(waiter for waiter in waiting if waiter.shard.pid not in numbers)
        for kind, body in self._cluster.watch("StatefulSet", labels, version):
            if self._closed.is_set() or kind == "ERROR":
                return
            if kind == "DELETED":
                number = instance_number(_instance(body))
                _ring(waiter for waiter in self._all() if waiter.shard.pid == number)


def _ring(waiters: Iterable[Waiter]) -> None:
    for waiter in waiters:
        waiter.ring()


def _instance(body: dict[str, dict[str, dict[str, str]]]) -> str:
    return body["metadata"]["labels"].get(INSTANCE, "")

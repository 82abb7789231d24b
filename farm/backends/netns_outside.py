"""A run in a user's own namespaces as it is seen from outside: a run of processes, with whose end all else ends."""

from farm.backends.netns_kin import end_kin
from farm.backends.process import ProcessBackend


class OutsideBackend(ProcessBackend):
    """To look at such a run and to end it, without its supervisor."""

    def end_all(self, grace: float = 2.0) -> int:
        """Those that are only seen from within, and then those that are seen from here."""
        self._shards.close()
        end_kin(self.run_id, grace)
        return super().end_all(grace)

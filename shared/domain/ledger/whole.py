"""Verification of the whole ledger: seals, all partitions, purges, and the key that one expects.

The fingerprint comes from outside, from whoever checks. Seals come first: where one is wrong,
nothing vouches for the records. Then each partition, then the bodies that are missing.
"""

from collections.abc import Collection

from shared.domain.ledger.chain import Head
from shared.domain.ledger.purge import Told
from shared.domain.ledger.seal import Seal, check_seal
from shared.domain.ledger.verification import PartitionCheck, Verification, bad


class LedgerCheck:
    """First all seals in their order, then the partitions, then `end`; the first bad one counts.

    `keys` are the fingerprints that are trusted, more than one where keys were changed.
    """

    def __init__(self, keys: Collection[str]) -> None:
        self.last: Seal | None = None
        self._keys = keys
        self._sealed: dict[str, dict[int, str]] = {}
        self._seen: set[str] = set()
        self._purged: dict[tuple[str, int], str] = {}
        self._told: dict[str, Told] = {}
        self._found = Verification(ok=True, events=0)

    def take_seal(self, seal: Seal) -> None:
        """Look at the next seal."""
        problem = check_seal(seal, self.last, self._keys)
        if problem:
            self._note(bad(0, f"seal {seal.statement.number}", problem))
        known = {head.partition: head.sequence for head in self.last.heads} if self.last else {}
        for head in seal.heads:
            if known.get(head.partition) != head.sequence:
                self._sealed.setdefault(head.partition, {})[head.sequence] = head.hash
        self.last = seal

    def sealed_partitions(self) -> tuple[str, ...]:
        """All partitions that a seal knows of."""
        return tuple(sorted(self._sealed))

    def begin(self, partition: str, head: Head | None) -> PartitionCheck:
        """The check of one partition; hand it its records, then hand it to `conclude`."""
        return PartitionCheck(partition, head, self._sealed.get(partition))

    def conclude(self, partition: str, check: PartitionCheck) -> None:
        """Take what the check of one partition has found."""
        self._seen.add(partition)
        self._note(check.end())
        self._purged |= {(partition, at): name for at, name in check.purged.items()}
        self._told |= {f"{partition}/{at}": told for at, told in check.told.items()}

    def end(self) -> Verification:
        """What was found in all of it."""
        for partition in self.sealed_partitions():
            if partition not in self._seen:
                self.conclude(partition, self.begin(partition, None))
        for (partition, sequence), name in sorted(self._purged.items()):
            told = self._told.get(name)
            if told is None or told.partition != partition or sequence not in told.sequences:
                gone = f"the body is gone, and record {name} does not tell of it"
                self._note(bad(0, f"{partition}/{sequence}", gone))
        return self._found

    def _note(self, found: Verification) -> None:
        """Add up what is good, until something is bad."""
        if self._found.ok:
            events = self._found.events + found.events
            self._found = Verification(
                ok=found.ok, events=events, first_bad=found.first_bad, problem=found.problem
            )

"""What Backstop promises, in one line each that a newcomer understands.

`referee` asks the first kind at every step, so a breach is caught at the call that made it;
`rest` asks the others when the world has come to rest.
"""

from enum import IntEnum


class Promise(IntEnum):
    """The promises by their numbers. `SENTENCES` says what each means."""

    DURABLE = 1
    ONE_CHANGE = 2
    INTENT_FIRST = 3
    INTENT_ENDS = 4
    AUTHORITY = 5
    NO_STOMP = 6
    RESTRAINT = 7
    A_HUMAN_KNOWS = 8
    LEDGER = 9
    NO_SECRET = 10
    ONE_INCIDENT = 11
    COMES_TO_REST = 12
    TOLD_ONCE = 13
    PROVEN_CURE = 14


SENTENCES = {
    Promise.DURABLE: "an alert that was answered 202 is stored, and comes to an end",
    Promise.ONE_CHANGE: "a plan changes the endpoint once; a repeat is the same and was needed",
    Promise.INTENT_FIRST: "nothing is written to an endpoint without an intent stored before",
    Promise.INTENT_ENDS: "every intent ends within its lease and two minutes",
    Promise.AUTHORITY: "traffic moves only where policy and proof allow it",
    Promise.NO_STOMP: "nobody else's change that was there to be seen is overwritten",
    Promise.RESTRAINT: (
        "cooldown, rate limit, one rollback an incident, kill switch and freeze are obeyed"
    ),
    Promise.A_HUMAN_KNOWS: "a SEV0 or SEV1 reaches a person within 60 s",
    Promise.LEDGER: "the ledger verifies and has each thing that happened exactly once",
    Promise.NO_SECRET: "no secret and nothing personal is in a card, page, log line or record",
    Promise.ONE_INCIDENT: "one trouble is one incident, and an alert that comes twice counts once",
    Promise.COMES_TO_REST: "everything that was begun ends, and what cannot be taken is kept",
    Promise.TOLD_ONCE: "no card and no page comes twice unless its sender died",
    Promise.PROVEN_CURE: "mitigated is said only of an endpoint that proved it serves well",
}


class Broken(AssertionError):
    """A promise does not hold; the message says which and how."""


def broken(promise: Promise, how: str) -> Broken:
    """The breach of a promise; `how` is what was seen."""
    return Broken(f"promise {promise.value} ({SENTENCES[promise]}): {how}")


def number_of(breach: str) -> Promise | None:
    """Which promise the words of a breach are about; None where they are about none."""
    said = breach.removeprefix("promise ").partition(" ")[0]
    return Promise(int(said)) if breach.startswith("promise ") else None

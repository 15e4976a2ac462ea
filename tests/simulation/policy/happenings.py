"""What happens outside of the product in a history: time, trouble, the owners, the pipelines."""

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    precondition,
    rule,
)

from shared.domain.incidents.incident import State
from tests.simulation.policy.choices import (
    ASKS,
    DEPLOYED,
    FORESEEN,
    MADE_OF,
    MINUTES,
    MOSTLY_NOT,
    NAMES,
    RESTS,
    ROLES,
    SAID,
    SEVERITIES,
    SHIPPED,
    SPLITS,
    SWITCHES,
    UNTIL_S,
)
from tests.simulation.policy.model import (
    Deployed,
    Diagnosed,
    Facts,
    Foreseen,
    Shipped,
    Trouble,
    Trusted,
)
from tests.simulation.policy.world import PolicyWorld, Run


class Happenings(RuleBasedStateMachine):
    """What people, pipelines and time do. Every step tells the model and the product the same."""

    def __init__(self, run: Run) -> None:
        super().__init__()
        self.facts = Facts()
        self.product = PolicyWorld(run)
        self.run = run

    @property
    def state(self) -> State:
        return self.product.incident().state

    # Time and trouble.

    @rule(seconds=st.sampled_from((1.0, 30.0, 60.0, 300.0, 899.0, 900.0, 1200.0, 2000.0)))
    def wait(self, seconds: float) -> None:
        self.facts.now += seconds
        self.product.wait(seconds)

    @rule(said=SAID, severity=SEVERITIES, by_signal=MOSTLY_NOT)
    def alert(self, said: dict[str, object], severity: int = 1, by_signal: bool = False) -> None:
        """The old trouble is over; another one is diagnosed."""
        if self.facts.trouble is not None and self.facts.trouble.open:
            self.product.close_incident()
        self.product.open_incident(severity, by_signal=by_signal)
        self.facts.trouble = Trouble(severity=severity, by_signal=by_signal)
        self.facts.diagnosed = None
        self.diagnose(said)

    @precondition(lambda self: self.state in (State.DIAGNOSED, State.HELD))
    @rule(said=SAID)
    def diagnose(self, said: dict[str, object]) -> None:
        self.facts.diagnosed = Diagnosed(at=self.facts.now, **said)  # type: ignore[arg-type]
        self.product.diagnose(self.facts.diagnosed)

    @precondition(lambda self: self.facts.trouble.open)
    @rule()
    def resolve(self) -> None:
        self.product.close_incident()
        assert self.facts.trouble is not None
        self.facts.trouble.open = False

    # The owners.

    @rule(mode=st.sampled_from(("observe", "recommend", "approve", "automatic", "automatic")))
    def choose_mode(self, mode: str) -> None:
        self.facts.mode = mode
        self.product.set_mode(mode)

    @rule(possible=st.booleans())
    def replace_target(self, possible: bool) -> None:
        self.facts.can_split = possible
        self.product.split(possible=possible)

    @rule(lasts=UNTIL_S)
    def plan_maintenance(self, lasts: float) -> None:
        self.facts.maintenance_until = self.facts.now + lasts
        self.product.plan_maintenance(self.facts.maintenance_until)

    @rule(asks=ASKS, foreseen=FORESEEN)
    def write_policy(self, asks: frozenset[str], foreseen: Foreseen | None) -> None:
        self.facts.asks, self.facts.emergency = asks, foreseen
        self.product.ask_for(asks)
        self.product.foresee(foreseen)

    @rule(customers=st.booleans(), tagged=st.booleans())
    def describe(self, customers: bool, tagged: bool) -> None:
        self.facts.customers, self.facts.tagged = customers, tagged
        tags = ("dora",) if tagged else ()
        self.product.configure(customer_impact=customers, compliance=tags)

    @rule(lasts=UNTIL_S)
    def plan_freeze(self, lasts: float) -> None:
        self.facts.calendar_frozen_until = self.facts.now + lasts
        self.product.plan_freeze(self.facts.calendar_frozen_until)

    @rule(scope=SWITCHES, on=st.booleans(), minutes=st.sampled_from((1, 10, 30)))
    def freeze(self, scope: str, on: bool, minutes: int) -> None:
        self.run(self.product.freeze(scope, on=on, minutes=minutes))
        self.facts.freezes.pop(scope, None)
        if on:
            self.facts.freezes[scope] = self.facts.now + minutes * 60

    @rule(asks=MOSTLY_NOT)
    def spend_budget(self, asks: bool) -> None:
        """So much of an error budget is spent that its policy asks for a person, or is back."""
        self.facts.budget_asks = asks
        self.run(self.product.spend_budget(asks=asks))

    @rule(scope=SWITCHES, on=st.booleans(), minutes=MINUTES)
    def turn_switch(self, scope: str, on: bool, minutes: int | None) -> None:
        self.run(self.product.turn_switch(scope, on=on, minutes=minutes))
        self.facts.switches.pop(scope, None)
        if on:
            self.facts.switches[scope] = None if minutes is None else self.facts.now + minutes * 60

    # Pipelines, and the platform.

    @rule(split=SPLITS)
    def ship(self, split: dict[str, int]) -> None:
        self.facts.traffic = dict(split)
        self.run(self.product.move(split))

    @precondition(lambda self: self.facts.trouble.acted > 0)
    @rule()
    def ship_it_again(self) -> None:
        """The pipeline does not know of the rollback, and comes back after the rest."""
        assert self.facts.diagnosed is not None
        self.wait(900.0)
        self.ship({self.facts.diagnosed.version: 100})

    @rule(name=NAMES, deployed=DEPLOYED)
    def deploy(self, name: str, deployed: Deployed | None) -> None:
        self.facts.deployed = {k: v for k, v in self.facts.deployed.items() if k != name}
        if deployed is not None:
            self.facts.deployed[name] = deployed
        self.product.deploy(self.facts.deployed)

    @rule(name=NAMES, shipped=MADE_OF)
    def register(self, name: str, shipped: Shipped) -> None:
        others = [one for one in self.facts.releases if one[1].version != shipped.version]
        self.facts.releases = [*others, (name, shipped)]
        self.product.register(name, shipped)

    @rule(busy=st.booleans())
    def occupy(self, busy: bool) -> None:
        self.facts.busy = busy
        self.product.occupy(busy=busy)

    @rule(readable=st.booleans(), scoring=st.booleans())
    def reach(self, readable: bool, scoring: bool) -> None:
        self.facts.readable, self.facts.scoring = readable, scoring
        self.product.reach(endpoint=readable, scoring=scoring)

    @rule(names=st.sampled_from(((), ("v1",), ("v2",), ("v1", "v2"), ("v2", "v3"))))
    def answer_badly(self, names: tuple[str, ...]) -> None:
        self.facts.failing = set(names)
        self.product.fail(self.facts.failing)

    @rule(lasts=UNTIL_S)
    def storm(self, lasts: float) -> None:
        self.facts.storm_until = self.facts.now + lasts
        self.product.storm(self.facts.storm_until)

    @rule(name=NAMES, ago=st.sampled_from((0.0, 100_000.0)), made_of=MADE_OF)
    def earn_trust(self, name: str, ago: float, made_of: Shipped) -> None:
        self.facts.good = Trusted(name, self.facts.now - ago, made_of)
        self.product.trust(self.facts.good)

    @rule()
    def lose_trust(self) -> None:
        self.facts.good = None
        self.product.trust(None)

    @rule(roles=ROLES, ago=st.sampled_from((0.0, 100_000.0)), mildly=MOSTLY_NOT, rest=RESTS)
    def go_bad(self, roles: tuple[str, str], ago: float, mildly: bool, rest: float) -> None:
        """After a rest a version goes bad beside a known good, and nothing else is in the way.

        What was done stays done: earlier rollbacks, maintenance, storms.
        """
        bad, good = roles
        self.wait(rest)
        for scope in tuple(self.facts.switches):
            self.turn_switch(scope, on=False, minutes=None)
        for scope in tuple(self.facts.freezes):
            self.freeze(scope, on=False, minutes=1)
        self.describe(customers=False, tagged=False)
        self.spend_budget(asks=False)
        for name, shipped in SHIPPED.items():
            self.deploy(name, Deployed())
            self.register(name, shipped)
        self.choose_mode("automatic")
        self.replace_target(possible=True)
        self.occupy(busy=False)
        self.reach(readable=True, scoring=True)
        self.answer_badly(() if mildly else (bad,))
        self.earn_trust(good, ago, SHIPPED[good])
        self.ship({bad: 100})
        self.alert({"version": bad, "burn_short": 1.0 if mildly else 50.0})

    @rule(rest=RESTS, seen=st.booleans())
    def be_told_by_a_signal(self, rest: float, seen: bool) -> None:
        """Some customers fare badly, and only a signal blames a version, which is well or not."""
        self.go_bad(("v3", "v1"), 100_000.0, mildly=True, rest=rest)
        self.answer_badly(("v2", "v3") if seen else ("v2",))
        self.ship({"v2": 50, "v1": 30, "v3": 20})
        self.alert({"version": "v3", "burn_short": 1.0}, by_signal=True)

"""One alert rule over logs, as Azure Monitor evaluates it: a scheduled query rule.

`shared.domain.detection.rules` makes them from a service's file, `infra.generate` writes them for
the deployment, and the local world evaluates the very same texts on its clock.
"""

from enum import StrEnum

import msgspec

WINDOWS_MIN = (1, 5, 10, 15, 30, 45, 60, 120, 180, 240, 300, 360, 1440, 2880)
"""The windows that a rule can have, in minutes; two days are the longest."""

_HOUR, _DAY = 60, 1440


class RuleKind(StrEnum):
    """What a rule watches."""

    BURN = "burn"  # the whole service's error budget
    PART = "part"  # a region or deployment that burns while the rest does not
    OUTCOME = "outcome"  # what the business makes of the answers
    TOOL = "tool"
    CONTENT_SAFETY = "content-safety"
    INDEX = "index"
    SERVED = "served"  # one deployment, two configurations


class Split(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A column of the query by which its rows are told apart; by all its values, unless named."""

    name: str
    operator: str = "Include"
    values: tuple[str, ...] = ("*",)


class FailingPeriods(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How many of the last looks must find it before the alert fires."""

    number_of_evaluation_periods: int = 1
    min_failing_periods_to_alert: int = 1


class AlertRule(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A log alert rule: where `measure_column` compares with `threshold`, for each time series.

    `severity` is Azure's, 0 to 4. Frequency and window are ISO 8601 durations. Each combination of
    the dimensions' values is a time series with an alert of its own, and is charged; `time_series`
    is how many the service's file lets one expect. The alert's target is the ARM id in
    `resource_id_column`. With `auto_mitigate` it fires once and resolves by itself.
    """

    name: str
    kind: RuleKind
    display_name: str
    description: str
    severity: int
    service: str
    slo: str = ""
    query: str
    evaluation_frequency: str = "PT5M"
    window: str
    measure_column: str
    aggregation: str = "Maximum"
    operator: str = "GreaterThanOrEqual"
    threshold: float
    dimensions: tuple[Split, ...] = ()
    resource_id_column: str = ""
    failing_periods: FailingPeriods = FailingPeriods()
    auto_mitigate: bool = True
    custom_properties: dict[str, str] = {}
    time_series: int = 1

    @property
    def frequency_min(self) -> int:
        """The minutes between two looks."""
        return minutes(self.evaluation_frequency)

    @property
    def clean_looks(self) -> int:
        """After how many looks without a finding an alert resolves, as Azure Monitor has it."""
        return 10 if self.frequency_min == 1 else 3


def iso(length_min: int) -> str:
    """An ISO 8601 duration of whole minutes: PT5M, PT1H, P1D."""
    if length_min % _DAY == 0:
        return f"P{length_min // _DAY}D"
    return f"PT{length_min // _HOUR}H" if length_min % _HOUR == 0 else f"PT{length_min}M"


def minutes(duration: str) -> int:
    """Read what `iso` writes. Raises ValueError for other durations."""
    units = {"M": 1, "H": _HOUR, "D": _DAY}
    prefix = "P" if duration.endswith("D") else "PT"
    return int(duration.removeprefix(prefix)[:-1]) * units[duration[-1]]


def window_over(length_min: int) -> str:
    """The shortest window that holds so many minutes. Raises ValueError beyond two days."""
    for window in WINDOWS_MIN:
        if window >= length_min:
            return iso(window)
    raise ValueError(f"{length_min} minutes are more than two days: a timer watches those")

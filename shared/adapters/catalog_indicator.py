"""What an objective counts: the two queries of an OpenSLO ratio, cut into an `Indicator`.

Part of reading one objective (`shared.adapters.catalog_slo`). `total` is KQL over one table, `good`
is the same text with one more condition, or `bad` is; `shared.domain.slos.pipeline` has the form.
"""

import re

from shared.adapters.catalog_fields import Section
from shared.adapters.catalog_report import Mentioned
from shared.domain.slos.pipeline import Pipeline, cut, read_pipeline
from shared.domain.slos.slo import Indicator, Sli
from shared.errors import RejectedInput

LABEL_SOURCE = "backstop/label-source"
LEAST_LABELLED = "backstop/least-labelled"

_TEXT = "(?s).{1,2000}"
_SHARE = r"0\.[0-9]{1,4}|1(\.0)?"
_SLOWEST = re.compile(r"\bDurationMs <=? ([1-9][0-9]{0,5})\b")


def read_indicator(ratio_of: Section, annotations: Section, sli: Sli) -> Indicator:
    """Read the ratio and, where people or a judge label answers, who does."""
    table, where, good = _read_ratio(ratio_of)
    if sli is not Sli.QUALITY:
        return Indicator(table=table, where=where, good=good)
    share = annotations.text(LEAST_LABELLED, pattern=_SHARE)
    return Indicator(
        table=table,
        where=where,
        good=good,
        label_source=annotations.one_of(LABEL_SOURCE, ("judge", "outcome")),
        least_labelled=float(share or 0),
    )


def slowest_good(indicator: Indicator) -> float | None:
    """The slowest answer, in milliseconds, that the indicator still counts as good."""
    found = _SLOWEST.findall(indicator.good)
    return float(found[0]) if len(found) == 1 else None


def _read_ratio(spec: Section) -> tuple[str, str, str]:
    ratio = spec.section("ratioMetric")
    ratio.flag("counter", default=True)
    sides = [side for side in ("good", "bad") if ratio.has(side)]
    total = _read_query(ratio.section("total"))
    parts = [(side, _read_query(ratio.section(side))) for side in sides]
    if len(parts) == 1:
        found = _cut(total, *parts[0])
    else:
        found = "", "", ""
        ratio.mistake("good", "neither or both of good and bad", "one of good and bad, and total")
    ratio.close()
    spec.close()
    return found


def _read_query(side: Section) -> tuple[Section, Pipeline | None]:
    source = side.section("metricSource")
    source.one_of("type", ("LogAnalytics",))
    spec = source.section("spec")
    text = spec.text("query", pattern=_TEXT)
    pipeline = None
    try:
        pipeline = read_pipeline(text) if text else None
        if pipeline:
            spec.mention(Mentioned.QUERY, "query", text)
    except RejectedInput as error:
        spec.mistake("query", error.detail, "AppRequests | where Success == true, say")
    for section in (spec, source, side):
        section.close()
    return spec, pipeline


def _cut(
    total: tuple[Section, Pipeline | None],
    side: str,
    part: tuple[Section, Pipeline | None],
) -> tuple[str, str, str]:
    if total[1] is None or part[1] is None:
        return "", "", ""
    try:
        where, meant = cut(total[1], part[1])
    except RejectedInput as error:
        part[0].mistake("query", error.detail, "all of total's text, then | where CONDITION")
        return "", "", ""
    return total[1].table, where, meant if side == "good" else f"not({meant})"

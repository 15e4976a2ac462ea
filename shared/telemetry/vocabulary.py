"""The names of what is told, as the shipped queries read them; docs/telemetry.md explains each.

Backstop's own begin with `backstop.`: the conventions of OpenTelemetry for generative AI know no
prompt version, no deployment, no business outcome. Everything arrives as text.
"""

from bisect import bisect_left

DEPLOYMENT = "backstop.deployment"
REGION = "backstop.region"
PROMPT_VERSION = "backstop.prompt_version"
PROMPT_CHAIN = "backstop.prompt_chain"
DIGEST = "backstop.configuration_digest"
TENANT = "backstop.tenant"
PROBE = "backstop.probe"
LATENCY = "backstop.latency_bucket"
COST = "backstop.cost"
SAFETY = "backstop.content_safety"
SAFETY_CATEGORY = "backstop.content_safety_category"
OUTCOME = "backstop.outcome"
JUDGEMENT = "backstop.judgement"
ANSWERED_AT = "backstop.answered_at"
ANSWERED = "backstop.answered"
INDEX = "backstop.index"
WATERMARK = "backstop.watermark"
INDEX_WATERMARK = "backstop.index_watermark"

OPERATION = "gen_ai.operation.name"
MODEL = "gen_ai.response.model"
TOOL = "gen_ai.tool.name"
INPUT_TOKENS = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS = "gen_ai.usage.output_tokens"

EVENT = "microsoft.custom_event.name"  # makes a log record a row of AppEvents
METHOD = "http.request.method"  # with a method, the status becomes the row's ResultCode
STATUS = "http.response.status_code"
TARGET = "peer.service"  # becomes the row's Target

_BOUNDS_MS = (50, 100, 250, 500, 1_000, 2_000, 5_000, 10_000, 30_000)


def latency_bucket(elapsed_ms: float) -> str:
    """The bucket of a latency in milliseconds, "250-500ms"; the last one is ">30000ms"."""
    place = bisect_left(_BOUNDS_MS, elapsed_ms)
    low = _BOUNDS_MS[place - 1] if place else 0
    return f"{low}-{_BOUNDS_MS[place]}ms" if place < len(_BOUNDS_MS) else f">{low}ms"

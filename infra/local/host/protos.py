"""The message classes that the worker library is given, in place of generated protobuf.

The library imports no protobuf: it takes the classes from its first request and builds and reads
them by name. Field names and numbers are those of the public FunctionRpc.proto; only what the
library touches is here.
"""

from typing import ClassVar

from infra.local.host.message import Message

# --- values ---

DATA_KINDS = (
    "string",
    "json",
    "bytes",
    "stream",
    "http",
    "int",
    "double",
    "collection_bytes",
    "collection_string",
    "collection_double",
    "collection_sint64",
    "model_binding_data",
    "collection_model_binding_data",
)


class TypedData(Message, fields=dict.fromkeys(DATA_KINDS), oneofs={"data": DATA_KINDS}):
    """One value of exactly one kind."""


class CollectionBytes(Message, fields={"bytes": list}):
    """The bodies of a batch, as bytes."""


class CollectionString(Message, fields={"string": list}):
    """The bodies of a batch, as text."""


class NullableString(Message, fields={"value": None}):
    """Text or nothing."""


class NullableBool(Message, fields={"value": None}):
    """A truth or nothing."""


class NullableDouble(Message, fields={"value": None}):
    """A number or nothing."""


class NullableTimestamp(Message, fields={"value": None}):
    """A time or nothing."""


class ParameterBinding(
    Message,
    fields={"name": "", "data": None, "rpc_shared_memory": None},
    oneofs={"rpc_data": ("data", "rpc_shared_memory")},
):
    """A function's parameter and its value."""


# --- HTTP ---


class RpcHttp(
    Message,
    fields={
        "method": "",
        "url": "",
        "headers": dict,
        "query": dict,
        "params": dict,
        "body": TypedData,
        "status_code": "",
        "cookies": list,
        "enable_content_negotiation": False,
    },
):
    """A request on its way in, or a response on its way out."""


class SameSite(Message, constants={"None": 0}):
    """The numbers of a cookie's SameSite."""

    Lax: ClassVar = 1
    Strict: ClassVar = 2
    ExplicitNone: ClassVar = 3


class RpcHttpCookie(
    Message,
    fields={
        "name": "",
        "value": "",
        "domain": NullableString,
        "path": NullableString,
        "expires": NullableTimestamp,
        "secure": NullableBool,
        "http_only": NullableBool,
        "same_site": 0,
        "max_age": NullableDouble,
    },
):
    """One cookie of a response."""

    SameSite: ClassVar = SameSite


# --- what is indexed ---


class BindingInfo(
    Message,
    fields={"type": "", "data_type": 0, "direction": 0},
    constants={"in": 0},
):
    """Kind and direction of one binding."""

    out: ClassVar = 1
    inout: ClassVar = 2
    undefined: ClassVar = 0
    string: ClassVar = 1
    binary: ClassVar = 2


class RpcRetryOptions(
    Message,
    fields={
        "max_retry_count": 0,
        "retry_strategy": 0,
        "delay_interval": None,
        "minimum_interval": None,
        "maximum_interval": None,
    },
):
    """A function's own retry policy."""


class RpcFunctionMetadata(
    Message,
    fields={
        "name": "",
        "function_id": "",
        "managed_dependency_enabled": False,
        "directory": "",
        "script_file": "",
        "entry_point": "",
        "is_proxy": False,
        "language": "",
        "bindings": dict,
        "raw_bindings": list,
        "retry_options": None,
        "properties": dict,
    },
):
    """What the library found out about one function."""


# --- the conversation ---


class RpcException(Message, fields={"message": "", "stack_trace": "", "source": "", "type": ""}):
    """An exception, as text."""


class StatusResult(Message, fields={"status": 0, "exception": None}):
    """Whether a request succeeded."""

    Failure: ClassVar = 0
    Success: ClassVar = 1
    Cancelled: ClassVar = 2


class WorkerMetadata(
    Message,
    fields={
        "runtime_name": "",
        "runtime_version": "",
        "worker_version": "",
        "worker_bitness": "",
        "custom_properties": dict,
    },
):
    """The library says who it is."""


class WorkerInitRequest(
    Message, fields={"host_version": "", "capabilities": dict, "function_app_directory": ""}
):
    """Index the app of this folder."""


class WorkerInitResponse(
    Message, fields={"capabilities": dict, "worker_metadata": None, "result": None}
):
    """Indexed, or why not."""


class FunctionsMetadataRequest(Message, fields={"function_app_directory": ""}):
    """Say which functions there are."""


class FunctionMetadataResponse(
    Message,
    fields={
        "use_default_metadata_indexing": False,
        "function_metadata_results": list,
        "result": None,
    },
):
    """The functions."""


class FunctionLoadRequest(Message, fields={"function_id": "", "metadata": None}):
    """Make one function ready."""


class FunctionLoadResponse(Message, fields={"function_id": "", "result": None}):
    """It is ready."""


class RpcTraceContext(Message, fields={"trace_parent": "", "trace_state": "", "attributes": dict}):
    """The W3C trace that an invocation belongs to."""


class RetryContext(Message, fields={"retry_count": 0, "max_retry_count": 0, "exception": None}):
    """How often this invocation was tried."""


class InvocationRequest(
    Message,
    fields={
        "invocation_id": "",
        "function_id": "",
        "input_data": list,
        "trigger_metadata": dict,
        "trace_context": RpcTraceContext,
        "retry_context": RetryContext,
    },
):
    """Call one function."""


class InvocationResponse(
    Message,
    fields={"invocation_id": "", "return_value": None, "output_data": list, "result": None},
):
    """What it returned, or how it failed."""


class StreamingMessage(
    Message,
    fields={
        "request_id": "",
        "worker_init_request": None,
        "functions_metadata_request": None,
        "function_load_request": None,
        "invocation_request": None,
    },
):
    """The envelope of a request."""

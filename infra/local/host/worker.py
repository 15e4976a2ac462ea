"""Drives Microsoft's worker library in this process, in the order that Azure's worker does.

init (which imports and indexes the app) -> metadata -> load each function -> invoke. The library
keeps its registries in modules, so that one process can serve one app only.
"""

import importlib
import os
import random
import sys
import uuid
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from infra.local.host import protos
from infra.local.host.configuration import Refused

APP_MODULE = "function_app"
HOST_ROOT = str(Path(__file__).resolve().parents[3])


class InvocationFailed(Exception):
    """A function raised. The library hands over text, not the exception itself."""

    def __init__(self, failure: protos.RpcException) -> None:
        super().__init__(failure.message)
        self.trace: str = failure.stack_trace.rstrip()


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One invocation: the data for the trigger's parameter, and what travels beside it."""

    function: str
    parameter: str
    data: protos.TypedData
    metadata: dict[str, protos.TypedData] = {}
    traceparent: str = ""


class _Request(msgspec.Struct, frozen=True, kw_only=True):
    """The shape that the library's handlers expect a request in."""

    name: str
    request: protos.StreamingMessage
    properties: dict[str, Any] = {}


class Worker:
    """One app, indexed by the worker library and ready to be invoked."""

    def __init__(self, app_folder: Path) -> None:
        self._folder = str(app_folder.resolve())
        self._function_ids: dict[str, str] = {}
        self.bindings: dict[str, list[str]] = {}

    async def start(self) -> None:
        """Import, index and load the app; fills `bindings` (function -> JSON texts).

        Raises Refused, with the app's stack trace, when it does not load.
        """
        self._enter_folder()
        self._runtime = importlib.import_module("azure_functions_runtime")
        self._runtime.start_threadpool_executor()
        await self._index()
        for metadata in await self._functions():
            await self._load(metadata)

    async def invoke(self, call: Call) -> protos.TypedData | None:
        """Call a function and return what it returned. Raises InvocationFailed."""
        request = protos.InvocationRequest(
            invocation_id=str(uuid.UUID(int=random.getrandbits(128), version=4)),
            function_id=self._function_ids[call.function],
            input_data=[protos.ParameterBinding(name=call.parameter, data=call.data)],
            trigger_metadata=call.metadata,
            trace_context=protos.RpcTraceContext(
                trace_parent=call.traceparent or new_traceparent()
            ),
        )
        response = await self._runtime.invocation_request(
            _Request(
                name="FunctionInvocationRequest",
                request=protos.StreamingMessage(invocation_request=request),
            )
        )
        if response.result.status != protos.StatusResult.Success:
            raise InvocationFailed(response.result.exception)
        returned: protos.TypedData | None = response.return_value
        return returned

    def app_module(self) -> ModuleType | None:
        """Return the app's module once it is imported."""
        return sys.modules.get(APP_MODULE)

    def stop(self) -> None:
        """End the threads that synchronous functions ran on."""
        self._runtime.stop_threadpool_executor()

    def _enter_folder(self) -> None:
        if not Path(self._folder, f"{APP_MODULE}.py").is_file():
            raise Refused(f"no {APP_MODULE}.py in {self._folder}")
        # As in Azure the app's folder comes last, after all packages; and the folder that this
        # host was started from must not lend the app another function_app or shared.
        sys.path[:] = [path for path in sys.path if path not in {"", HOST_ROOT, self._folder}]
        sys.path.append(self._folder)
        os.chdir(self._folder)

    async def _index(self) -> None:
        request = protos.WorkerInitRequest(
            host_version="4.0.0", function_app_directory=self._folder
        )
        response = await self._runtime.worker_init_request(
            _Request(
                name="WorkerInitRequest",
                request=protos.StreamingMessage(worker_init_request=request),
                properties={"protos": protos, "host": "127.0.0.1"},
            )
        )
        _check_loaded(response.result)

    async def _functions(self) -> list[protos.RpcFunctionMetadata]:
        request = protos.FunctionsMetadataRequest(function_app_directory=self._folder)
        response = await self._runtime.functions_metadata_request(
            _Request(
                name="WorkerMetadataRequest",
                request=protos.StreamingMessage(functions_metadata_request=request),
            )
        )
        _check_loaded(response.result)
        return response.function_metadata_results or []

    async def _load(self, metadata: protos.RpcFunctionMetadata) -> None:
        request = protos.FunctionLoadRequest(function_id=metadata.function_id, metadata=metadata)
        response = await self._runtime.function_load_request(
            _Request(
                name="FunctionLoadRequest",
                request=protos.StreamingMessage(function_load_request=request),
            )
        )
        _check_loaded(response.result)
        self._function_ids[metadata.name] = metadata.function_id
        self.bindings[metadata.name] = metadata.raw_bindings


def new_traceparent() -> str:
    """Make a W3C traceparent for an invocation that nobody traced before."""
    return f"00-{random.getrandbits(128):032x}-{random.getrandbits(64):016x}-01"


def _check_loaded(result: protos.StatusResult) -> None:
    if result.status != protos.StatusResult.Success:
        # The library appends advice and the whole search path to import errors.
        reason = result.exception.message.partition(". Cannot find module.")[0]
        first_line = reason.strip().partition("\n")[0]
        raise Refused(f"{APP_MODULE}.py does not load: {first_line}", result.exception.stack_trace)

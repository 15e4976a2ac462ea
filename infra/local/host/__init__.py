"""The local function host: a function app, served on this machine without Azure's host.

Microsoft's own worker library (azure-functions-runtime, which Azure loads on Python 3.13) indexes
the app and converts and invokes its functions. This package is what stands around it in Azure:
HTTP, Service Bus receivers, timers, settlement. It reads the metadata of the app itself, never a
second list.
"""

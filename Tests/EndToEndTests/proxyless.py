"""A proxyless gRPC client and its backends, for the end-to-end tests of gRPC's own xDS client.

    proxyless.py serve VERSION=PORT ...        backends that answer with their version, until killed
    proxyless.py call TARGET CALLS             calls through xDS (bootstrap in GRPC_XDS_BOOTSTRAP_CONFIG), on one channel

CALLS is a JSON list of {"count": N, "method": NAME, "metadata": {NAME: VALUE}, "timeout": SECONDS or null, "until":
"calm"}, of which all but the count may be left out. Until "calm" is: until N calls in a row have not failed. Printed is a
list of what became of each: {"versions": {VERSION: COUNT}, "errors": {CODE: COUNT}, "details": [...]}. No stubs: bytes in,
bytes out.
"""
import collections
import json
import sys
import threading
import time
from concurrent import futures

import grpc

SERVICE = "sluice.test.Reviews"


def behave(context, version):
    """What the caller asks for by metadata: not to be answered, to be answered only at another try, or not by a version."""
    metadata = dict(context.invocation_metadata())
    if metadata.get("x-behave") == "hang":
        ended = threading.Event()
        if context.add_callback(ended.set):
            ended.wait()
    if metadata.get("x-behave") == "fail-once" and "grpc-previous-rpc-attempts" not in metadata:
        context.abort(grpc.StatusCode.UNAVAILABLE, "the first try fails")
    if metadata.get("x-behave") == f"fail {version}":
        context.abort(grpc.StatusCode.INTERNAL, "this version fails")


def backend(version, port):
    def answer(request, context):
        behave(context, version)
        return version.encode()

    handler = grpc.unary_unary_rpc_method_handler(answer)
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(SERVICE, {"Version": handler, "Other": handler}),)
    )
    if server.add_insecure_port(f"127.0.0.1:{port}") != port:
        sys.exit(f"port {port} is taken")
    server.start()
    return server


def serve(arguments):
    servers = [backend(*argument.split("=")[:1], int(argument.split("=")[1])) for argument in arguments]
    print("serving", flush=True)
    threading.Event().wait()
    del servers


def make(channel, count, method="Version", metadata={}, timeout=20, until=None):
    version = channel.unary_unary(f"/{SERVICE}/{method}")
    versions, errors, details = collections.Counter(), collections.Counter(), []
    left, deadline = count, time.monotonic() + 60
    while left > 0 and time.monotonic() < deadline:
        left -= 1
        try:
            answer = version(b"", timeout=timeout, metadata=list(metadata.items()), wait_for_ready=True)
            versions[answer.decode()] += 1
        except grpc.RpcError as error:
            errors[error.code().name] += 1
            details = details[:3] + [error.details()]
            if until == "calm":
                left = count
            elif len(details) > 3:
                break
    return {"versions": versions, "errors": errors, "details": details}


def call(target, calls):
    with grpc.insecure_channel(target) as channel:
        print(json.dumps([make(channel, **each) for each in calls]))


if sys.argv[1] == "serve":
    serve(sys.argv[2:])
else:
    call(sys.argv[2], json.loads(sys.argv[3]))

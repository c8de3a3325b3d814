"""A proxyless gRPC client and its backends, for the end-to-end test of gRPC's own xDS client.

    proxyless.py serve VERSION=PORT ...        backends that answer with their version, until killed
    proxyless.py call TARGET COUNT             COUNT calls through xDS (bootstrap in GRPC_XDS_BOOTSTRAP_CONFIG);
                                               prints {"versions": {VERSION: COUNT}, "errors": [...]}
No stubs: bytes in, bytes out.
"""
import collections
import json
import sys
import threading
from concurrent import futures

import grpc

METHOD = "/sluice.test.Reviews/Version"


def backend(version, port):
    handler = grpc.method_handlers_generic_handler(
        "sluice.test.Reviews",
        {"Version": grpc.unary_unary_rpc_method_handler(lambda request, context: version.encode())},
    )
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
    server.add_generic_rpc_handlers((handler,))
    if server.add_insecure_port(f"127.0.0.1:{port}") != port:
        sys.exit(f"port {port} is taken")
    server.start()
    return server


def serve(arguments):
    servers = [backend(*argument.split("=")[:1], int(argument.split("=")[1])) for argument in arguments]
    print("serving", flush=True)
    threading.Event().wait()
    del servers


def call(target, count):
    versions, errors = collections.Counter(), []
    with grpc.insecure_channel(target) as channel:
        version = channel.unary_unary(METHOD)
        for _ in range(count):
            try:
                versions[version(b"", timeout=20, wait_for_ready=True).decode()] += 1
            except grpc.RpcError as error:
                errors.append(f"{error.code()} {error.details()}")
                if len(errors) > 3:
                    break
    print(json.dumps({"versions": versions, "errors": errors}))


if sys.argv[1] == "serve":
    serve(sys.argv[2:])
else:
    call(sys.argv[2], int(sys.argv[3]))

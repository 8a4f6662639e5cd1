"""No listener beyond the declared ones: nobody can ask this device anything from outside.

Looked for are the modules that open sockets and the calls that wait for others (``bind``, ``listen``, ``accept``,
``serve_forever``...), in every file of the build.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from edge.prove.source import Module, Use, brief, called, line_of, words

_MODULES = words(
    "socket _socket socketserver ssl asyncio http xmlrpc wsgiref ftplib smtplib smtpd telnetlib imaplib "
    "poplib nntplib urllib urllib2 urllib3 requests httpx aiohttp websockets websocket flask bottle tornado "
    "fastapi starlette uvicorn gunicorn django paho zmq grpc multiprocessing pty dbus gi bluetooth serial "
    "zeroconf twisted "
)
_CALLS = words(
    "bind listen accept create_server start_server start_unix_server serve_forever create_connection "
    "create_unix_server create_datagram_endpoint socketpair fromfd sendto sendmsg recvfrom mkfifo bind_port "
)


def listeners(module: Module) -> Iterator[Use]:
    """Every place of a file that could open a connection or wait for one."""
    for node, function in module.walk(ast.Import, ast.ImportFrom, ast.Call):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module or ""]
        for name in names:
            if name.split(".")[0] in _MODULES:
                yield Use("module", f"imports {name}", line_of(node), function)
        if called(node) in _CALLS and isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield Use("call", brief(node), line_of(node), function)

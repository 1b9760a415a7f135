"""Every Python process that a guarded command starts imports this before anything else.

Resolving or reaching anything but this machine is noted in the file ``NETWORK_LOG`` and fails, so
that nothing leaves even where a test finds something.
"""

import contextlib
import ipaddress
import os
import socket
import sys

SENDS = {"socket.connect", "socket.sendto", "socket.sendmsg"}
RESOLVES = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}


def is_this_machine(host):
    host = host.decode() if isinstance(host, bytes) else host
    if host in {None, "", "localhost", socket.gethostname()}:
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe, contextlib.suppress(OSError):
        probe.bind((host, 0))  # only an address of this machine can be bound
        return True
    return False


def refuse(event, args):
    if event in SENDS and isinstance(args[1], tuple):
        host = args[1][0]
    elif event in RESOLVES:
        host = args[0]
    else:
        return
    if not is_this_machine(host):
        with open(os.environ["NETWORK_LOG"], "a") as log:  # noqa: PTH123
            log.write(f"{event} {host} by {' '.join(sys.orig_argv)[:200]}\n")
        raise OSError(f"{event} {host}: refused by the tests")


sys.addaudithook(refuse)

"""How many connections the open-file limit allows; container runtimes leave a soft limit of 1,024 under a high one."""

from __future__ import annotations

import errno
import logging
import resource

log = logging.getLogger("modelward.collector.descriptors")

_OWN = 64
"""Files, sockets and pipes that are open without any client."""


def raise_limit() -> int:
    """Raise the soft limit of open files to the hard one, for this process and its children; return what holds."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (OSError, ValueError) as error:
        log.warning("open-file limit stays; soft=%d hard=%d error=%s", soft, hard, error)
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def connection_limit(open_files: int) -> int:
    """Return how many clients may be connected: each needs a connection to a model server, and as many may idle."""
    return max(1, (open_files - _OWN) // 3)


def exhausted(error: BaseException) -> bool:
    """Return whether a connection failed because no file descriptor was left: that says nothing about its other end."""
    return isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE)

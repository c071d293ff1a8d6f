"""The collector's command line."""

from __future__ import annotations

import argparse
import socket
import sys

from modelward.api.address import host_and_port
from modelward.collector.listening import listening_socket
from modelward.collector.options import Options, with_identity
from modelward.engines.registry import ENGINES

_DESCRIPTION = """\
Stands in front of a model server, passes every byte on as it came, and measures: time to first token, tokens, errors.
Sampled exchanges are redacted and sent to the Modelward hub when a configuration file asks for it.
Whatever fails in here, requests pass."""

_EPILOG = """\
try it by hand:
  python -m modelward.collector --listen 127.0.0.1:18080 --admin 127.0.0.1:18081 --upstream http://127.0.0.1:8080
  curl -N http://127.0.0.1:18080/v1/chat/completions -H 'content-type: application/json' \\
       -d '{"model":"m","stream":true,"messages":[{"role":"user","content":"hello"}]}'
  curl http://127.0.0.1:18081/metrics

keep what passes in a file instead of a hub (texts are redacted):
  python -m modelward.collector --upstream http://127.0.0.1:8080 --capture-output exchanges.jsonl

stop it with SIGTERM or Ctrl-C: what is in flight is finished first, for at most --drain-seconds."""

_LEAVE = "/drain does not answer before: nodes need so long to learn that a pod leaves"


def parser() -> argparse.ArgumentParser:
    """Return the parser; `modelward collector` shares it."""
    defaults = Options()
    made = argparse.ArgumentParser(
        prog="modelward.collector", description=_DESCRIPTION, epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    _add_traffic(made, defaults)
    _add_measuring(made, defaults)
    _add_hub(made, defaults)
    return made


def _add_traffic(made: argparse.ArgumentParser, defaults: Options) -> None:
    traffic = made.add_argument_group("traffic")
    traffic.add_argument(
        "--listen", default=defaults.listen, metavar="HOST:PORT", help="clients come here (%(default)s)"
    )
    traffic.add_argument(
        "--admin", default=defaults.admin, metavar="HOST:PORT", help="/metrics /drain /healthz /readyz (%(default)s)"
    )
    where = traffic.add_mutually_exclusive_group(required=True)
    where.add_argument(
        "--upstream",
        action="append",
        default=[],
        metavar="URL",
        help="the model server; may be repeated, then the one with the least in flight is taken. "
        "An https URL or one with a path is an API of others: Host is rewritten and the path put before",
    )
    where.add_argument(
        "--upstream-file", default="", metavar="FILE", help='JSON {"upstreams": [URL, ...]}, read again when it changes'
    )
    where.add_argument(
        "--upstream-name",
        default="",
        metavar="URL",
        help="a name with an address for each model server (a headless Service); looked up again every 2 s",
    )
    for flag, default, text in (
        ("--drain-seconds", defaults.drain_seconds, "how long to wait for what is in flight"),
        ("--leave-seconds", defaults.leave_seconds, _LEAVE),
        ("--quiet-seconds", defaults.quiet_seconds, "/drain answers after this long without requests"),
    ):
        traffic.add_argument(flag, type=float, default=default, metavar="S", help=f"{text} (%(default)s)")


def _add_measuring(made: argparse.ArgumentParser, defaults: Options) -> None:
    settings = made.add_argument_group("what to measure and to keep")
    settings.add_argument(
        "--config",
        default=defaults.config_file,
        metavar="FILE",
        help="settings that the operator mounts; may be absent (%(default)s)",
    )
    settings.add_argument("--engine", default="", metavar="KIND", help=f"{' '.join(ENGINES)}; overrides the file")
    settings.add_argument(
        "--engine-metrics", default="", metavar="URL", help="the engine's own metrics; overrides the file"
    )
    settings.add_argument(
        "--capture-output",
        default="",
        metavar="FILE",
        help="append every exchange, redacted, to FILE as JSON lines instead of sending it to a hub",
    )


def _add_hub(made: argparse.ArgumentParser, defaults: Options) -> None:
    hub = made.add_argument_group("hub")
    hub.add_argument(
        "--spool", default=defaults.spool_dir, metavar="DIR", help="waits for the hub here, at most 64 MB (%(default)s)"
    )
    hub.add_argument(
        "--token-file",
        default=defaults.token_file,
        metavar="FILE",
        help="read for every batch, because it rotates (%(default)s)",
    )
    hub.add_argument("--hub-ca", default="", metavar="FILE", help="the hub's CA (hub-ca.pem beside the configuration)")


def options_from(made: argparse.ArgumentParser, given: argparse.Namespace) -> Options:
    """Return what the command line says; exits with a message as argparse does where it makes no sense."""
    from modelward.collector.targets import Target

    try:
        for url in given.upstream:
            Target(url)
        host_and_port(given.admin)
    except ValueError as error:
        made.error(str(error))
    return with_identity(
        Options(
            listen=given.listen,
            admin=given.admin,
            upstreams=tuple(given.upstream),
            upstream_file=given.upstream_file,
            upstream_name=given.upstream_name,
            config_file=given.config,
            engine=given.engine,
            engine_metrics_url=given.engine_metrics,
            spool_dir=given.spool,
            token_file=given.token_file,
            hub_ca=given.hub_ca,
            capture_output=given.capture_output,
            drain_seconds=given.drain_seconds,
            leave_seconds=given.leave_seconds,
            quiet_seconds=given.quiet_seconds,
        )
    )


def main(argv: list[str]) -> int:
    """Run the collector until it is stopped, and return its exit code."""
    made = parser()
    given = made.parse_args(argv)
    try:
        listener = listening_socket(*host_and_port(given.listen))
    except ValueError as error:
        made.error(str(error))
    except OSError as error:
        sys.stderr.write(f"modelward.collector: cannot listen on {given.listen}: {error}\n")
        return 1
    with listener:
        return _run(options_from(made, given), listener)


def _run(options: Options, listener: socket.socket) -> int:
    """Serve those who wait already: what this loads, most of the standard library, takes a loaded node seconds."""
    import logging

    from modelward.collector.supervisor import Supervisor

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    try:
        supervisor = Supervisor(options, listener)
    except OSError as error:
        sys.stderr.write(f"modelward.collector: cannot listen on {options.admin}: {error}\n")
        return 1
    return supervisor.run()

"""The command line of the plugin, and what a shell offers to complete it with."""

from __future__ import annotations

import argparse

from modelward.kubectl.fleet import SORTS
from modelward.kubectl.hub import READER_ACCOUNT
from modelward.kubectl.samples import FAULT

EXAMPLES = """examples:
  kubectl modelward status -A                                    what needs me?
  kubectl modelward why chat -n retail                           why is it not well, since when, what changed?
  kubectl modelward samples chat -n retail --flagged baseline/stays-on-topic
  kubectl modelward label chat resp-17 baseline/stays-on-topic ok
  kubectl modelward ack chat Check/stays-on-topic --comment "rolling back"
  kubectl modelward preview -f policy.yaml --over 7d             what would it have done last week?
"""
COMMANDS = {
    "status": "list endpoints: those that need you first",
    "why": "tell what an endpoint's health rests on, and what changed before",
    "top": "list endpoints by use or cost",
    "cost": "tell what each caller of an endpoint cost, by day",
    "alerts": "list alerts that fire, and who was told",
    "ack": "acknowledge an alert: nothing more is told of it until it is resolved",
    "silence": "silence alerts of an endpoint, or of a namespace, for a while",
    "samples": "show exchanges with what each check made of them; on record",
    "label": "say whether an exchange is at fault: it counts in the evaluator's measured error",
    "preview": "tell which alerts a policy would have raised",
    "console": "open the console in a browser",
    "completion": "tell how the shell completes this command",
}
OF_ENDPOINT = ("why", "cost", "ack", "samples", "label", "silence")
"""Commands whose first word is the name of an endpoint."""
_NOT_GIVEN = {"namespace": "", "all_namespaces": False, "context": "", "kubeconfig": "", "kubectl": "kubectl"}
"""What the shared options are where none is given; a default of each command would undo what stands before it."""


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    top = argparse.ArgumentParser(
        prog="kubectl modelward",
        description="Ask what LLM endpoints are doing, with the rights of your own kubectl.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[_shared()],
    )
    top.set_defaults(**_NOT_GIVEN)
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    add = {
        name: commands.add_parser(name, help=text, description=text, parents=[_shared()])
        for name, text in COMMANDS.items()
    }
    for name in ("why", "cost", "ack", "samples", "label"):
        add[name].add_argument("endpoint", help="name of the LLMEndpoint")
    add["status"].add_argument(
        "-o", "--output", choices=("text", "json"), default="text", help="text (default) or json"
    )
    add["top"].add_argument(
        "--by", choices=tuple(SORTS), default="requests", help="what comes first (default requests)"
    )
    add["alerts"].add_argument("--all", action="store_true", help="also those that begin or have ended")
    _why(add["why"])
    _silences(add["ack"], add["silence"])
    _samples(add["samples"])
    _label(add["label"])
    _cost(add["cost"])
    add["preview"].add_argument(
        "-f", "--filename", required=True, help="file with one MonitoringPolicy; - reads it from standard input"
    )
    add["preview"].add_argument("--over", default="7d", help="how far back (default 7d)")
    for name in ("why", "cost", "samples", "label", "preview", "console"):
        _hub(add[name])
    return top


def _shared() -> argparse.ArgumentParser:
    flags = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    flags.add_argument("-n", "--namespace", help="namespace (default that of the context)")
    flags.add_argument(
        "-A",
        "--all-namespaces",
        action="store_true",
        default=argparse.SUPPRESS,
        help="all namespaces; of status, top and alerts",
    )
    flags.add_argument("--context", help="context of the kubeconfig")
    flags.add_argument("--kubeconfig", help="which kubeconfig")
    flags.add_argument("--kubectl", help=argparse.SUPPRESS)
    return flags


def _why(one: argparse.ArgumentParser) -> None:
    one.add_argument("--deep", action="store_true", help="also ask the hub which requests went bad")
    one.add_argument("--check", default="", help="with --deep: POLICY/NAME of the check that is asked about")


def _silences(ack: argparse.ArgumentParser, silence: argparse.ArgumentParser) -> None:
    ack.add_argument("alert", help="the alert, as `alerts` shows it: Check/stays-on-topic")
    silence.add_argument("endpoint", nargs="?", default="", help="the LLMEndpoint; all of the namespace without it")
    silence.add_argument(
        "alerts", nargs="*", help="alerts or kinds of alerts: BudgetBurn, Check/stays-on-topic; all without any"
    )
    for one, lasts in ((ack, "24h"), (silence, "2h")):
        one.add_argument("--for", dest="lasts", default=lasts, help=f"how long at most, up to 30d (default {lasts})")
        one.add_argument("--comment", default="", help="why, for others who read it")


def _samples(one: argparse.ArgumentParser) -> None:
    one.add_argument("--flagged", default="", metavar="POLICY/NAME", help="those that this evaluation flagged")
    one.add_argument("--status", default="", help="those with this status, such as 500 or 5xx")
    one.add_argument("--slower", default="", help="those that took longer, such as 2s")
    one.add_argument("--text", default="", help="those that contain these words")
    one.add_argument("--revision", default="", help="those of this revision")
    one.add_argument("--since", default="24h", help="how far back (default 24h)")
    one.add_argument("--limit", type=int, default=10, help="how many (default 10)")
    one.add_argument("-o", "--output", choices=("text", "json"), default="text", help="text (default) or json")


def _label(one: argparse.ArgumentParser) -> None:
    one.add_argument("exchange", help="id of the exchange, as `samples` shows it")
    one.add_argument("check", metavar="POLICY/NAME", help="the evaluation whose finding is judged")
    one.add_argument("word", choices=tuple(FAULT), help="whether the exchange is at fault, whatever the check says")
    one.add_argument("--comment", default="", help="why")


def _cost(one: argparse.ArgumentParser) -> None:
    one.add_argument("--days", type=int, default=31, help="how many UTC days, today among them (default 31)")
    one.add_argument("-o", "--output", choices=("text", "csv"), default="text", help="text (default), or csv by day")


def _hub(one: argparse.ArgumentParser) -> None:
    one.add_argument("--system-namespace", default="modelward-system", help="where Modelward is installed")
    one.add_argument("--as-account", default=READER_ACCOUNT, help=f"account to ask as (default {READER_ACCOUNT})")
    one.add_argument("--hub-url", default="", help="a hub that takes no tokens, for trying it out")

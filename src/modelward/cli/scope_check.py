"""`modelward evaluators check`: what a scope would do to known questions, before anything is judged by it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from modelward.cli.console import fail

if TYPE_CHECKING:
    from modelward.evaluate.evaluators.topic_scope import TopicConfig
    from modelward.evaluate.scope_check import ScopeCheck

NEXT = "Next: write lines or inScopeExamples like those that fall out, and check again."


def check(
    evaluator: Annotated[
        list[Path],
        typer.Option(
            help="YAML of Evaluators, MonitoringPolicies, or one {builtin, config}. Repeat it for more files."
        ),
    ],
) -> None:
    """Check the scopes of topic evaluators: which questions in scope would fall out, and what the error rates are.

    Exit 0: every scope has error rates of its own, 1: one has not (NotCalibrated), 2: nothing was checked.
    """
    import asyncio

    from modelward.job.installed import UnknownEvaluatorError
    from modelward.job.minilm import MiniLMUnavailableError

    try:
        calibrated = asyncio.run(_check(evaluator))
    except (UnknownEvaluatorError, MiniLMUnavailableError, OSError) as error:
        fail(str(error))
    raise typer.Exit(0 if calibrated else 1)


async def _check(paths: list[Path]) -> bool:
    from modelward.evaluate.evaluators.topic_scope import TopicConfig, checked_scope
    from modelward.job.embeddings import SharedEmbeddings
    from modelward.job.evaluator_files import load_evaluators
    from modelward.job.installed import UnknownEvaluatorError, topic_evaluators
    from modelward.job.minilm import embed
    from modelward.job.port import JobPort

    known, port = topic_evaluators(), JobPort(SharedEmbeddings(embed))
    asked = [one for one in load_evaluators(paths) if one.evaluator.name in known]
    if not asked:
        raise UnknownEvaluatorError(f"no evaluator with a scope in these files; such are {', '.join(sorted(known))}")
    calibrated = True
    for one in asked:
        config = TopicConfig.model_validate(dict(one.evaluator.config))
        _, found = await checked_scope(config, port)
        calibrated = calibrated and (found.lost is not None or config.calibration is not None)
        typer.echo(f"{one.name}: {len(config.in_scope)} lines, {found.examples} examples")
        for line in told(config, found):
            typer.echo(f"  {line}")
    return calibrated


def told(config: TopicConfig, found: ScopeCheck) -> Iterator[str]:
    """Say what a check has found, line by line."""
    from modelward.evaluate.scope_check import MIN_EXAMPLES, template_questions

    if found.lost is None or found.caught is None:
        yield (
            f"NotCalibrated: {MIN_EXAMPLES} inScopeExamples or more tell how many questions in scope fall out;"
            " without them no verdict is given"
        )
    else:
        yield (
            f"about {found.lost:.1%} of questions in scope fall out (1 in {found.examples + 1} for each example that"
            f" does, and 1), {found.caught:.0%} of {found.probes} known questions out of scope are caught"
        )
    examples, asked = list(dict.fromkeys(config.in_scope_examples)), template_questions(config.in_scope)
    for position in found.examples_out:
        yield f"falls out, though an example: {examples[position]}"
    for position in found.templates_out:
        yield f"falls out, though it is what a line says: {asked[position]}"

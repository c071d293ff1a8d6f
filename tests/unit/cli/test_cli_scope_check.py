"""What `modelward evaluators check` says of a scope."""

from __future__ import annotations

from modelward.cli.scope_check import told
from modelward.evaluate.evaluators.topic_scope import TopicConfig
from modelward.evaluate.scope_check import ScopeCheck

LINES = ["cards, PINs and fees"]
EXAMPLES = ["My card is gone", "What does it cost?", "I want another PIN"] * 7


def test_it_names_the_examples_and_the_parts_of_lines_that_fall_out() -> None:
    config = TopicConfig.model_validate({"inScope": LINES, "inScopeExamples": EXAMPLES})
    lines = list(told(config, ScopeCheck(0.1, 3, (1,), 9, (3,), 140, 0.8, 0.5)))
    assert lines[0].startswith("about 50.0% of questions in scope fall out")
    assert "80% of 140 known questions out of scope are caught" in lines[0]
    assert lines[1:] == [
        "falls out, though an example: What does it cost?",
        "falls out, though it is what a line says: I have a question about PINs.",
    ]


def test_without_enough_examples_it_says_that_no_verdict_is_given() -> None:
    (line,) = told(TopicConfig.model_validate({"inScope": LINES}), ScopeCheck(0.1, 0, (), 9, (), 140, None, None))
    assert line.startswith("NotCalibrated: 20 inScopeExamples or more")

"""Every kind of evaluator, and every built-in one, keeps the same contract; a new one adds its row to SPECIMENS."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from plain_port import PlainPort
from toy_kind import KIND as TOY

from modelward.api.exchange import Content, Exchange, Message, Outcome, Redaction
from modelward.api.kept_score import KeptScore, is_score_set
from modelward.api.run_plan import Plan, PlanItem, plan_from_json, plan_to_json
from modelward.api.sampling import sample_rank
from modelward.desired.evaluators import EvaluatorBlock, ResolvedEvaluator
from modelward.desired.finding import Finding
from modelward.desired.pod_additions import NOTHING, PodAdditions
from modelward.desired.text_egress import is_allowed
from modelward.evaluate.catalogue import EvaluatorCatalogue
from modelward.evaluate.kinds.kind import EvaluatorKind
from modelward.evaluate.port import PortError, ScoringPort, ScoringReply, ScoringRequest
from modelward.evaluate.score import Score
from modelward.evaluate.scoring import BATCH, Scorer, score
from modelward.job.installed import catalogue, evaluators
from modelward.job.minilm_build import WEIGHTS_SHA256

KNOWN = EvaluatorCatalogue({**catalogue().kinds, "toy": TOY})
LARGE = "x" * 300_000
TRIES = {"judge": 9}
"""A judge that is not there is tried three times for each of three exchanges; other kinds are tried once."""


@dataclass(frozen=True)
class Specimen:
    """An evaluator with settings that are right, others that are right too, and some that are wrong."""

    kind: str
    name: str
    good: dict[str, Any]
    other: dict[str, Any]
    bad: tuple[dict[str, Any], ...] = ()

    def __str__(self) -> str:
        return f"{self.kind}-{self.name}"

    def block(self, config: dict[str, Any] | None = None) -> EvaluatorBlock:
        return EvaluatorBlock(self.kind, self.name, self.good if config is None else config)

    def resolved(self) -> ResolvedEvaluator:
        found = KNOWN.resolve(self.block())
        assert isinstance(found, ResolvedEvaluator)
        return found


SCOPE = {"inScope": ["bank cards", "accounts"]}
TOPIC_BAD: tuple[dict[str, Any], ...] = (
    {},
    {"inScope": []},
    {**SCOPE, "threshold": "2"},
    {"inScope": ["cards"] * 65},
    {"inScope": [LARGE]},
)
ASK = {"url": "http://judge:80/score", "word": "secret"}
IMAGE = {"image": "registry.example/brand:1"}
WEBHOOK = {"url": "https://judge.example/brand", "secretRef": {"name": "modelward-brand"}}
JUDGE: dict[str, Any] = {
    "model": {
        "external": {
            "url": "https://judge.example/v1",
            "model": "m",
            "credentials": {"secretRef": {"name": "modelward-key"}},
        }
    },
    "rubric": "Names no secret.",
    "labels": {"fault": ["secret"], "ok": ["plain"], "abstain": ["unsure"]},
    "readout": "Word",
}
PAIRWISE = {
    **{name: value for name, value in JUDGE.items() if name != "labels"},
    "mode": "Pairwise",
    "references": [{"question": "Where is card 1?", "answer": "Here."}],
}
RAGAS = {"name": "faithfulness", "source": "ragas"}
SPECIMENS = [
    Specimen("builtin", "OffTopicAnswered", SCOPE, {"inScope": ["bank cards"]}, TOPIC_BAD),
    Specimen("builtin", "OnTopicRefused", SCOPE, {**SCOPE, "threshold": "0.3"}, TOPIC_BAD),
    Specimen("builtin", "TopicAdherence", SCOPE, {**SCOPE, "inScopeExamples": ["Where is my card?"]}, TOPIC_BAD),
    Specimen(
        "builtin", "Refusal", {}, {"calibration": {"truePositive": "90%", "falsePositive": "1%"}}, ({"words": []},)
    ),
    Specimen("builtin", "PII", {}, {"kinds": ["EMAIL"]}, ({"kinds": [""]}, {"kinds": [LARGE]}, {"ignoreEchoed": []})),
    Specimen(
        "builtin", "Secrets", {}, {"canaries": ["kx7-orchid-91"]}, ({"canaries": ["a"]}, {"confidentialTerms": [" "]})
    ),
    Specimen(
        "builtin", "Keywords", {"forbidden": ["idiot"]}, {"required": ["please"]},
        ({}, {"forbidden": []}, {"forbidden": [""]}, {"required": [LARGE]}),
    ),
    Specimen(
        "builtin", "Format", {"jsonSchema": {"type": "object"}}, {"regex": "^ok$"},
        ({}, {"regex": "(?=a)"}, {"regex": "("}, {"jsonSchema": {"$ref": "#"}}, {"minChars": 3, "maxChars": 2},
         {"jsonSchema": json.loads('{"items":' * 40 + "{}" + "}" * 40)}),
    ),
    Specimen("builtin", "Coherence", {}, {"empty": False}, ({"empty": []},)),
    Specimen("builtin", "Language", {}, {"expected": ["de"]}, ({"expected": ["German"]}, {"expected": ["en"] * 65})),
    Specimen("builtin", "PHI", {}, {"terms": ["Ménière"]}, ({"terms": [" "]}, {"ignoreEchoed": []})),
    Specimen("builtin", "Relevance", {}, {"threshold": "0.3"}, ({"threshold": "2"}, {"threshold": 0.3})),
    Specimen("builtin", "Groundedness", {}, {"minContextWords": 5}, ({"minContextWords": 0}, {"threshold": "x"})),
    Specimen("builtin", "Frustration", {}, {"threshold": "0.9"}, ({"threshold": "1.5"},)),
    Specimen("builtin", "Readability", {}, {"maxGrade": "9"}, ({"maxGrade": 9}, {"maxGrade": "high"})),
    Specimen(
        "builtin", "EmbeddingDrift", {}, {"of": "Answers"},
        ({"of": "Prompts"}, {"referenceSize": 10},
         {"baseline": {"from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"}}),
    ),
    Specimen(
        "builtin", "CounterfactualBias", {}, {"groups": ["gender"]},
        ({"groups": ["height"]}, {"pairs": 5}, {"ownGroups": {"a": {"b": ["one"]}}}),
    ),
    Specimen("builtin", "TokenDrift", {}, {"of": "Questions"}, ({"of": []}, {"baseline": {"from": "yesterday"}})),
    Specimen(
        "builtin", "NumericDrift", {"number": "Duration"}, {"number": "Duration", "distance": "KL"},
        ({}, {"number": "Mood"}, {"number": "Duration", "distance": "PSI"}),
    ),
    Specimen("builtin", "TopicClusters", {}, {"topics": 10}, ({"topics": 1}, {"topics": 51})),
    Specimen("builtin", "Sentiment", {}, {"threshold": "0.2"}, ({"threshold": "2"}, {"threshold": 0.5})),
    Specimen("builtin", "Distress", {}, {"threshold": "0.8"}, ({"threshold": ""},)),
    Specimen("builtin", "Toxicity", {}, {"subject": "question"}, ({"subject": "both"},)),
    Specimen("builtin", "PromptInjection", {}, {"contextRoles": ["tool"]}, ({"contextRoles": ["user"]},)),
    Specimen(
        "judge", "brand", JUDGE, {**JUDGE, "rubric": "Names no password."},
        ({}, {**JUDGE, "labels": None}, {**JUDGE, "rubric": LARGE}, {**JUDGE, "readout": "Guess"},
         {**JUDGE, "model": {}}, {**JUDGE, "labels": {"fault": ["a"], "ok": ["A"]}}, {**JUDGE, "mode": "Reference"}),
    ),
    Specimen("judge", "pairs", PAIRWISE, {**PAIRWISE, "sees": ["Answer"]}, ({**PAIRWISE, "references": []},)),
    Specimen(
        "imported", "faithful", RAGAS, {**RAGAS, "flagBelow": "50%"},
        ({}, {"name": "a"}, {**RAGAS, "source": "a b"}, {**RAGAS, "flagAbove": "x"}, {**RAGAS, "name": LARGE},
         {**RAGAS, "flagAbove": "50%", "flagBelow": "50%"}),
    ),
    Specimen("toy", "words", ASK, {**ASK, "word": "other"}, ({}, {**ASK, "word": LARGE}, {**ASK, "unit": "Day"})),
    Specimen("toy", "windows", {**ASK, "unit": "Window"}, ASK),
    Specimen(
        "container", "brand", IMAGE, {**IMAGE, "labels": ["off-brand"]},
        ({}, {"image": ""}, {"image": "a b"}, {**IMAGE, "imagePullPolicy": "Sometimes"}, {**IMAGE, "labels": ["a b"]},
         {**IMAGE, "sends": "Full"}, {**IMAGE, "config": {"words": [LARGE]}}, {**IMAGE, "args": ["x" * 5_000]}),
    ),
    Specimen(
        "webhook", "brand", WEBHOOK, {**WEBHOOK, "config": {"words": ["cheap"]}},
        ({}, {"url": WEBHOOK["url"]}, {**WEBHOOK, "url": "http://judge.example"}, {**WEBHOOK, "url": "https://h:0"},
         {**WEBHOOK, "secretRef": {"name": "other"}}, {**WEBHOOK, "sends": "Full"}, {**WEBHOOK, "url": "https://a?b=c"}),
    ),
]  # fmt: skip
PACKAGES = {"Coherence": "py3langid", "Language": "py3langid", "Format": "re2"}
"""Of the extra `evaluate`, which a checkout may be without."""


def installed(specimen: Specimen) -> bool:
    return specimen.name not in PACKAGES or importlib.util.find_spec(PACKAGES[specimen.name]) is not None


lacking = "a package of the extra `evaluate` is not installed"
every = pytest.mark.parametrize(
    "specimen",
    [pytest.param(one, id=str(one), marks=pytest.mark.skipif(not installed(one), reason=lacking)) for one in SPECIMENS],
)


def exchange(number: int, **changes: Any) -> Exchange:
    base = Exchange(
        id=f"e{number}", time_ms=number, endpoint="retail/chat", model="m", revision="r1", operation="chat",
        status=200, outcome="ok", content="Redacted", messages=(Message("user", f"where is card {number}?"),),
        response=f"answer {number}{' secret' if number % 3 == 0 else ''}",
    )  # fmt: skip
    return replace(base, **changes)


class Port(PlainPort):
    """Vectors that a text alone decides, and a judge that finds words; it counts what it was asked."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        rows = [
            np.random.default_rng(list(hashlib.sha256(text.encode("utf-8", "replace")).digest())).normal(size=384)
            for text in texts
        ]
        return np.array([row / np.linalg.norm(row) for row in rows], np.float32).reshape(len(texts), 384)

    async def outside_scores(self, score_set: str, exchanges: Sequence[Exchange]) -> dict[str, KeptScore]:
        assert is_score_set(score_set)
        return {one.id: KeptScore(one.id, one.time_ms, flagged="secret" in one.response) for one in exchanges}

    async def post(self, request: ScoringRequest) -> ScoringReply:
        asked = json.loads(request.body)
        if asked.get("contract") == "score/v1":
            self.asked.append(len(asked["records"]))
            rows = [
                {"id": one["id"], "state": "Scored", "flagged": "secret" in one["response"], "value": 0.5}
                for one in asked["records"]
            ]
            return ScoringReply(200, json.dumps({"scores": rows}).encode())
        if "messages" in asked:
            self.asked.append(1)
            record = asked["messages"][-1]["content"].splitlines()[1]
            content = "first" if '"first":' in record else "secret" if "secret" in record else "plain"
            return ScoringReply(200, json.dumps({"choices": [{"message": {"content": content}}]}).encode())
        self.asked.append(len(asked["answers"]))
        return ScoringReply(200, json.dumps([asked["word"] in answer for answer in asked["answers"]]).encode())


@dataclass
class Recorder:
    """A kind that writes down what reaches it."""

    kind: EvaluatorKind
    batches: list[list[str]] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.kind, name)

    async def score(
        self, evaluator: ResolvedEvaluator, exchanges: Sequence[Exchange], port: ScoringPort
    ) -> list[Score]:
        self.batches.append([one.id for one in exchanges])
        return await self.kind.score(evaluator, exchanges, port)


def recorded(specimen: Specimen) -> tuple[Scorer, Recorder]:
    recorder = Recorder(KNOWN.kinds[specimen.kind])
    return Scorer(recorder, specimen.resolved(), Port()), recorder


def test_every_installed_evaluator_has_a_specimen() -> None:
    installed = {(kind.name, name) for kind in catalogue().kinds.values() for name in kind.names}
    assert installed <= {(one.kind, one.name) for one in SPECIMENS}
    assert set(KNOWN.kinds) <= {one.kind for one in SPECIMENS}
    assert all(name == kind.name for name, kind in KNOWN.kinds.items())


@every
def test_good_settings_resolve_to_the_same_data_each_time(specimen: Specimen) -> None:
    found = specimen.resolved()
    assert found == specimen.resolved()
    assert (found.kind, found.name, found.facts.name) == (specimen.kind, specimen.name, specimen.name)
    assert found.config == specimen.good
    assert found.facts.version.startswith(KNOWN.about(specimen.block()).version)
    rates = found.facts.false_positive_ppm, found.facts.true_positive_ppm
    assert rates == (0, 0) if specimen.kind in ("judge", "imported") else 0 <= rates[0] < rates[1] <= 1_000_000


@every
def test_other_settings_are_another_version(specimen: Specimen) -> None:
    other = KNOWN.resolve(specimen.block(specimen.other))
    assert isinstance(other, ResolvedEvaluator)
    assert other.facts.version != specimen.resolved().facts.version


@every
def test_wrong_settings_are_a_finding_and_never_an_exception(specimen: Specimen) -> None:
    for config in (*specimen.bad, {**specimen.good, "nonsense": 1}):
        found = KNOWN.resolve(specimen.block(config))
        assert isinstance(found, Finding), config
        assert found.reason == "InvalidConfig"
        assert 0 < len(found.message) < 1_000


def test_an_unknown_evaluator_or_kind_is_a_finding() -> None:
    for block in (EvaluatorBlock("builtin", "Vibes"), EvaluatorBlock("oracle", "any")):
        found = KNOWN.resolve(block)
        assert isinstance(found, Finding)
        assert found.reason == "UnknownEvaluator"
        assert KNOWN.about(block).version == ""


@every
def test_where_text_may_go_is_decided_for_every_kind_alike(specimen: Specimen) -> None:
    hosts = sorted({one.host for one in specimen.resolved().pod.egress})
    assert KNOWN.within(hosts).resolve(specimen.block()) == specimen.resolved()
    outside = [host for host in hosts if not is_allowed(host, ())]
    found = KNOWN.within([]).resolve(specimen.block())
    assert isinstance(found, Finding) == bool(outside)
    if isinstance(found, Finding):
        assert (found.reason, outside[0] in found.message) == ("EgressNotAllowed", True)


@every
def test_what_a_pod_gains_is_data_and_the_same_each_time(specimen: Specimen) -> None:
    found = specimen.resolved()
    assert found.pod == KNOWN.kinds[specimen.kind].pod(found)
    assert isinstance(found.pod, PodAdditions)
    assert hash(found.pod) == hash(specimen.resolved().pod)
    assert json.loads(json.dumps(asdict(found.pod)))
    assert found.pod | NOTHING == NOTHING | found.pod == found.pod | found.pod
    assert len({name for name, _ in found.pod.env}) == len(found.pod.env)
    assert len({one.name for one in found.pod.containers}) == len(found.pod.containers)


@every
def test_a_plan_brings_an_evaluator_to_the_job_as_it_was_resolved(specimen: Specimen) -> None:
    found = specimen.resolved()
    item = PlanItem("chat", "p", "e", found.name, found.config, 0, 1, kind=found.kind)
    sent = json.loads(json.dumps(plan_to_json(Plan("run", "retail", "https://hub", (item,)))))
    (read,) = plan_from_json(sent).items
    assert KNOWN.resolve(EvaluatorBlock(read.kind, read.evaluator, read.config)) == found
    assert ("kind" in sent["items"][0]) == (found.kind != "builtin"), "plans of before stay as they are"


BUILTINS = evaluators(())


@pytest.mark.parametrize("name", sorted(BUILTINS))
def test_a_manifest_says_what_an_evaluator_answers_and_what_it_cannot_see(name: str) -> None:
    manifest = BUILTINS[name].manifest
    assert manifest.name == name
    assert manifest.blind_to
    assert (manifest.threshold is None) or set(manifest.answers) & {"Value", "Number"}
    assert bool(manifest.value_direction) <= bool(set(manifest.answers) & {"Value", "Number"})
    assert manifest.model_sha256 == (WEIGHTS_SHA256 if "MiniLM" in manifest.licence else "")
    assert json.loads(json.dumps(manifest.document()))["answers"] == list(manifest.answers)


def test_a_score_holds_values_that_can_be_summed() -> None:
    assert Score("e", "Scored", value=1.0, number=-3.5).number == -3.5
    wrongs: tuple[dict[str, Any], ...] = (
        {"value": 1.1},
        {"value": float("nan")},
        {"number": float("nan")},
        {"number": float("inf")},
    )
    for wrong in wrongs:
        with pytest.raises(ValueError, match="is not"):
            Score("e", "Scored", **wrong)


CONTENTS: list[Content] = ["None", "MetadataOnly", "Redacted", "Full"]
OUTCOMES: list[Outcome] = ["ok", "ok", "ok", "error", "cancelled"]
QUESTIONS = ["", "thanks!", "where is my card?", "how do I bake a cake?"]
rows = st.fixed_dictionaries(
    {
        "content": st.sampled_from(CONTENTS),
        "outcome": st.sampled_from(OUTCOMES),
        "operation": st.sampled_from(["chat", "chat", "embeddings"]),
        "response": st.sampled_from(["", "It is on its way.", "I cannot help with that.", "a secret"]),
        "messages": st.sampled_from(QUESTIONS).map(lambda text: (Message("user", text),)),
        "redactions": st.sampled_from([(), (Redaction("IBAN", 1, "response"),)]),
        "searched": st.booleans(),
    }
)
traffic = st.lists(rows, max_size=20).map(lambda found: [exchange(i, **row) for i, row in enumerate(found)])
quick = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@every
@quick
@given(traffic)
async def test_scores_are_one_for_each_exchange_in_order_and_the_same_again(
    specimen: Specimen, exchanges: list[Exchange]
) -> None:
    scorer, recorder = recorded(specimen)
    found = await score(scorer, exchanges)
    assert [one.id for one in found] == [one.id for one in exchanges]
    assert await score(recorded(specimen)[0], exchanges) == found
    assert not any(one.flagged for one in found if one.state != "Scored")
    if builtin := BUILTINS.get(specimen.name):
        answers = builtin.manifest.answers
        assert all(one.value is None for one in found) or "Value" in answers
        assert all(one.number is None for one in found) or "Number" in answers
    states = {one.id: one.state for one in found}
    reached = {name for batch in recorder.batches for name in batch}
    for one in exchanges:
        if one.outcome != "ok" or one.operation != "chat":
            assert (states[one.id], one.id in reached) == ("NotApplicable", False)
        elif one.content in ("None", "MetadataOnly"):
            elsewhere = scorer.evaluator.answers == "Change" or specimen.kind == "imported"
            bare = elsewhere and scorer.evaluator.needs == "MetadataOnly"
            assert states[one.id] == ("Scored" if bare else "NotCaptured")
            assert scorer.evaluator.needs == "MetadataOnly" or one.id not in reached


@every
@quick
@given(traffic)
async def test_an_exchange_is_judged_by_itself_or_by_its_whole_window(
    specimen: Specimen, exchanges: list[Exchange]
) -> None:
    scorer, recorder = recorded(specimen)
    found = await score(scorer, exchanges)
    if scorer.evaluator.unit == "Window":
        assert len(recorder.batches) <= 1
    else:
        assert [(await score(scorer, [one]))[0] for one in exchanges] == found


@every
async def test_exchanges_come_in_batches_and_windows_as_one(specimen: Specimen) -> None:
    searched = [exchange(number) for number in range(3 * BATCH + 1)]
    scorer, recorder = recorded(specimen)
    found = await score(scorer, searched)
    window = scorer.evaluator.unit == "Window"
    assert [len(batch) for batch in recorder.batches] == ([len(searched)] if window else [BATCH] * 3 + [1])
    judged = [name for batch in recorder.batches for name in batch]
    in_order = searched
    if scorer.evaluator.costly:
        in_order = sorted(searched, key=lambda one: sample_rank(one.id, one.time_ms))
    assert judged == [one.id for one in in_order]
    assert {one.state for one in found} <= {"Scored", "NotApplicable"}


@every
async def test_nothing_to_judge_asks_nothing(specimen: Specimen) -> None:
    scorer, recorder = recorded(specimen)
    assert await score(scorer, []) == []
    assert recorder.batches == []


class Broken(Port):
    """A port that answers nothing."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error, self.calls = error, 0

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:  # noqa: ARG002
        self.calls += 1
        raise self.error

    async def outside_scores(self, score_set: str, exchanges: Sequence[Exchange]) -> dict[str, KeptScore]:  # noqa: ARG002
        self.calls += 1
        raise self.error

    async def post(self, request: ScoringRequest) -> ScoringReply:  # noqa: ARG002
        self.calls += 1
        raise self.error


@every
async def test_what_a_port_cannot_do_fails_its_batch_at_once_and_never_looks_like_a_pass(specimen: Specimen) -> None:
    port = Broken(PortError("no answer"))
    scorer = replace(recorded(specimen)[0], port=port)
    found = await score(scorer, [exchange(number) for number in range(10)])
    assert port.calls <= TRIES.get(specimen.kind, 1)
    if port.calls:
        cause = "unreachable" if specimen.kind == "judge" else "PortError"
        assert {(one.state, one.label) for one in found if one.state != "NotApplicable"} == {("Failed", cause)}
    else:
        assert "Failed" not in {one.state for one in found}


@pytest.mark.parametrize(("unit", "failed"), [("Exchange", 1), ("Window", 9)])
async def test_an_odd_exchange_fails_itself_but_a_window_only_whole(unit: str, failed: int) -> None:
    class Fussy(Port):
        async def post(self, request: ScoringRequest) -> ScoringReply:
            if b"answer 4" in request.body:
                raise ValueError
            return await super().post(request)

    specimen = Specimen("toy", "fussy", {**ASK, "unit": unit}, {})
    scorer = replace(recorded(specimen)[0], port=Fussy())
    found = await score(scorer, [exchange(number) for number in range(9)])
    assert [one.label for one in found if one.state == "Failed"] == ["ValueError"] * failed


@pytest.mark.parametrize("taken", [["e1"], ["e2", "e1"], ["e1", "e2", "e3"], ["e1", "other"]])
async def test_scores_that_are_missing_doubled_or_of_others_fail_what_they_are_not_of(taken: list[str]) -> None:
    scorer, recorder = recorded(SPECIMENS[3])

    async def mixed(*_: Any) -> list[Score]:
        return [Score(name, "Scored") for name in taken]

    recorder.score = mixed  # type: ignore[assignment]
    found = await score(scorer, [exchange(1), exchange(2)])
    assert [one.id for one in found] == ["e1", "e2"]
    assert {one.state for one in found} <= {"Scored", "Failed"}
    assert found[1] == Score("e2", "Failed", label="BadAnswer")

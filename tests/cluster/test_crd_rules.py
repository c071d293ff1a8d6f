"""What may be written: the models and a real API server agree, and each rule refuses in our words."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from crd_trial import KINDS, Spec, Trial, installed
from pydantic import ValidationError

from modelward.api import crd
from modelward.api.base import API_VERSION
from modelward.api.structural import walk

if TYPE_CHECKING:
    from conftest import Cluster

pytestmark = pytest.mark.cluster

EXAMPLES = Path(__file__).parents[2] / "examples"

ADOPTED: Spec = {"engine": "vllm", "backend": {"workloadRef": {"name": "my-vllm"}}}
EXTERNAL: Spec = {"backend": {"external": {"url": "https://api.example.com/v1"}}}
SHORT: Spec = {"backend": {"template": {"port": 8080, "image": "llama:1"}}}
WHOLE: Spec = {"backend": {"template": {"port": 8080, "podTemplate": {"spec": {"containers": [{"name": "model"}]}}}}}
LATENCY: Spec = {"name": "first-token", "metric": "TimeToFirstToken", "maxDuration": "800ms"}
ERRORS: Spec = {"name": "errors", "metric": "ErrorRate", "maxRate": "1%"}
TOPIC: Spec = {"name": "topic", "check": {"builtin": "OffTopicAnswered"}, "failAbove": "10%"}
LOOK_BACK: Spec = {"endpoint": "chat", "from": "2026-11-24T09:00:00Z", "to": "2026-11-24T10:00:00Z"}
ITEM: Spec = {**LOOK_BACK, "policy": "baseline", "evaluation": "topic"}


FROM: Spec = {"secretRef": {"name": "modelward-alerts", "key": "slack"}}
MAIL: Spec = {"server": "smtp.example.com:587", "from": "modelward@example.com", "to": ["oncall@example.com"]}
SILENCE: Spec = {"until": "2026-12-01T08:00:00Z", "comment": "rolling back"}


def alerting(*receivers: Spec, **changes: Any) -> Spec:
    written = receivers or ({"name": "sre", "shared": "oncall"},)
    return {"endpointSelector": {}, "alerts": {"receivers": [*written], **changes}}


CONTAINER: Spec = {"image": "registry.example/brand@sha256:0"}
WEBHOOK: Spec = {"url": "https://judge.example/brand", "secretRef": {"name": "modelward-brand"}}


def container(**changes: Any) -> Spec:
    return {"container": {**CONTAINER, **changes}}


def calibrated(**changes: Any) -> Spec:
    labels = {"configMapRef": {"name": "brand-labels"}}
    return {"builtin": "PII", "calibration": {"labels": labels, **changes}}


def finished(**changes: Any) -> Spec:
    shipped = {"finished": {"configMapRef": {"name": "brand-calibration"}}}
    return {"builtin": "Keywords", "calibration": {**shipped, **changes}}


def webhook(**changes: Any) -> Spec:
    return {"webhook": {**WEBHOOK, **changes}}


JUDGE: Spec = {
    "model": {"endpointRef": {"name": "judge"}},
    "rubric": "Polite.",
    "labels": {"fault": ["rude"], "ok": ["polite"]},
}
PAIRWISE: Spec = {
    **{name: value for name, value in JUDGE.items() if name != "labels"},
    "mode": "Pairwise",
    "references": [{"question": "How are you?", "answer": "Fine, thank you."}],
}
AZURE: Spec = {
    "url": "https://team.openai.azure.com/openai/deployments/judge",
    "model": "judge",
    "apiVersion": "2024-10-21",
    "credentials": {"secretRef": {"name": "modelward-judge"}, "header": "api-key"},
}


def judge(base: Spec = JUDGE, **changes: Any) -> Spec:
    return {"judge": {name: value for name, value in {**base, **changes}.items() if value is not None}}


def watched(**changes: Any) -> Spec:
    return {"backend": {"workloadRef": {"name": "my-vllm", **changes}}}


def run_by_us(**changes: Any) -> Spec:
    return {"backend": {"template": {**SHORT["backend"]["template"], **changes}}}


def selecting(**line: Any) -> Spec:
    return {"endpointSelector": {"matchExpressions": [{"key": "team", **line}]}}


def captured(**changes: Any) -> Spec:
    return {"endpointSelector": {}, "capture": changes}


def bound(objective: Spec, **changes: Any) -> Spec:
    return {"endpointSelector": {}, "objectives": [{**objective, **changes}]}


def judged(**changes: Any) -> Spec:
    evaluation = {name: value for name, value in {**TOPIC, **changes}.items() if value is not None}
    return {"endpointSelector": {}, "evaluations": [evaluation]}


PRICE = {"model": "*", "perMillionInputTokens": "0.15", "perMillionOutputTokens": "0.60"}
PRICES = {"currency": "USD", "models": [PRICE]}


ONE_KIND = "set exactly one of builtin, judge, container, webhook and imported"
RAGAS = {"name": "faithfulness", "source": "ragas"}


def costing(**changes: Any) -> Spec:
    return {"endpointSelector": {}, "budget": {"judgeCostPerDay": {"amount": "5", "currency": "USD", **changes}}}


def spending(**budget: Any) -> Spec:
    return {"endpointSelector": {}, "budget": budget}


VALID: list[tuple[str, Spec]] = [
    ("LLMEndpoint", ADOPTED),
    ("LLMEndpoint", EXTERNAL),
    ("LLMEndpoint", SHORT),
    ("LLMEndpoint", WHOLE),
    ("LLMEndpoint", {**EXTERNAL, "collector": {"mode": "Gateway"}, "gateway": {"replicas": 3}}),
    ("LLMEndpoint", {**SHORT, "replicas": 0, "scaling": {"mode": "Direct", "minReplicas": 0, "maxReplicas": 8}}),
    ("LLMEndpoint", {**SHORT, "scaling": {"maxReplicas": 2, "objective": {"timeToFirstToken": "1h30m"}}}),
    ("LLMEndpoint", run_by_us(resources={"limits": {"nvidia.com/gpu": 1, "memory": "16Gi"}}, env=[{"name": "A"}])),
    ("LLMEndpoint", {**SHORT, "service": {"name": "front", "port": 8000}, "drainSeconds": 120, "paused": True}),
    ("LLMEndpoint", {**SHORT, "usage": {"callers": {"header": "X-Team"}, "prices": PRICES}}),
    ("MonitoringPolicy", {"endpointSelector": {}}),
    ("MonitoringPolicy", {"endpointSelector": {"matchLabels": {"team": "retail"}}, "capture": {"sample": "0.1%"}}),
    ("MonitoringPolicy", {"endpointSelector": {}, "objectives": [LATENCY, ERRORS], "evaluations": [TOPIC]}),
    ("MonitoringPolicy", bound(ERRORS, budget={"period": "672h"})),
    ("MonitoringPolicy", bound(ERRORS, budget={})),
    ("MonitoringPolicy", judged(notWorseThan={"baseline": "5%"})),
    ("MonitoringPolicy", judged(check={"imported": RAGAS})),
    ("Evaluator", {"imported": {**RAGAS, "flagBelow": "50%"}}),
    ("MonitoringPolicy", judged(notWorseThan={"revision": "Previous", "by": "5%"})),
    ("MonitoringPolicy", captured(keepFor="1m", maxBody="16Mi")),
    ("MonitoringPolicy", {"endpointSelector": {}, "budget": {"judgeTokensPerDay": 200_000, "perRun": "25%"}}),
    ("MonitoringPolicy", {"endpointSelector": {}, "budget": {"judgeCostPerDay": {"amount": "5", "currency": "USD"}}}),
    ("MonitoringPolicy", spending(costPerMonth={"amount": "100.00", "currency": "USD"})),
    ("MonitoringPolicy", judged(failAbove="0%")),
    ("MonitoringPolicy", judged(failAbove="12.5", statistic="P95")),
    ("MonitoringPolicy", judged(budget={"period": "672h"})),
    ("MonitoringPolicy", judged(budget={}, statistic="Share")),
    ("MonitoringPolicy", judged(failAbove=None, failBelow="80%", statistic="Mean")),
    ("MonitoringPolicy", selecting(operator="In", values=["a", "b"])),
    ("MonitoringPolicy", selecting(operator="Exists")),
    ("MonitoringPolicy", judged(check=None, evaluatorRef={"name": "topic"})),
    ("Evaluator", {"builtin": "OffTopicAnswered", "config": {"inScope": ["bank cards"], "threshold": 0.5}}),
    ("Evaluator", container()),
    ("Evaluator", calibrated()),
    ("Evaluator", finished()),
    ("Evaluator", calibrated(floor={"maxFlips": "100%"})),
    ("Evaluator", finished(maxAge="43800h", floor={"kappaLow": "0.6"})),
    ("Evaluator", calibrated(floor={"labels": 120, "perClass": 30, "kappaLow": "0.6"}, maxAge="2160h", maxTokens=9000)),
    (
        "Evaluator",
        container(resources={"limits": {"memory": "1Gi", "cpu": 1}}, labels=["off-brand"], config={"a": 0.5}),
    ),
    ("Evaluator", webhook(sends="MetadataOnly")),
    ("Evaluator", webhook(url="http://brand.retail.svc:8080/score")),
    ("Evaluator", judge()),
    ("Evaluator", judge(model={"external": AZURE}, readout="JSONSchema", sees=["Answer"])),
    ("Evaluator", judge(PAIRWISE)),
    ("Evaluator", judge(mode="Reference", references=PAIRWISE["references"])),
    ("MonitoringPolicy", alerting()),
    ("MonitoringPolicy", {"endpointSelector": {}, "alerts": {"via": "Policy"}}),
    ("MonitoringPolicy", {**alerting(), "alerts": {**alerting()["alerts"], "via": "Chart", "receivers": []}}),
    ("MonitoringPolicy", alerting({"name": "bot", "slack": {"tokenFrom": FROM, "channel": "#alerts"}})),
    ("MonitoringPolicy", alerting({"name": "mail", "email": MAIL})),
    ("MonitoringPolicy", alerting(routes=[{"alerts": ["Check/topic"], "receivers": ["sre"], "groupBy": ["Endpoint"]}])),
    ("AlertSilence", SILENCE),
    ("AlertSilence", {**SILENCE, "endpoint": "chat", "alerts": ["Check/topic"], "untilResolved": True}),
    ("EvaluationRun", LOOK_BACK),
    ("EvaluationRun", {"endpoint": "chat"}),
    ("EvaluationRun", {"items": [ITEM], "suspend": True}),
]

REFUSED_BY_SCHEMA: list[tuple[str, Spec]] = [
    ("LLMEndpoint", {}),
    ("LLMEndpoint", {**ADOPTED, "engine": "cobol"}),
    ("LLMEndpoint", {**ADOPTED, "replicas": -1}),
    ("LLMEndpoint", {**ADOPTED, "drainSeconds": "soon"}),
    ("LLMEndpoint", {**ADOPTED, "collector": {"mode": "Spy"}}),
    ("LLMEndpoint", {**ADOPTED, "service": {"name": "8ball"}}),
    ("LLMEndpoint", {"backend": {"external": {"url": "ftp://api.example.com"}}}),
    ("LLMEndpoint", {"backend": {"external": {"url": "https://api.example.com/v1?key=1"}}}),
    ("LLMEndpoint", run_by_us(port=70_000)),
    ("LLMEndpoint", run_by_us(resources={"limits": {"cpu": "x" * 33}})),
    ("LLMEndpoint", watched(kind="DaemonSet")),
    ("LLMEndpoint", watched(name="Not_A_Label")),
    ("LLMEndpoint", {**SHORT, "scaling": {"mode": "Direct"}}),
    ("LLMEndpoint", {**SHORT, "scaling": {"maxReplicas": 2, "scaleDownHold": "ten minutes"}}),
    ("MonitoringPolicy", {}),
    ("MonitoringPolicy", {"endpointSelector": {}, "capture": {"content": "Everything"}}),
    ("MonitoringPolicy", {"endpointSelector": {}, "capture": {"sample": "101%"}}),
    ("MonitoringPolicy", {"endpointSelector": {}, "capture": {"sample": 0.1}}),
    ("MonitoringPolicy", {"endpointSelector": {}, "capture": {"maxBody": "1G"}}),
    ("MonitoringPolicy", bound(LATENCY, percentile=100)),
    ("MonitoringPolicy", bound(LATENCY, severity="Fatal")),
    ("MonitoringPolicy", judged(failAbove="a tenth")),
    ("MonitoringPolicy", judged(statistic="P75")),
    ("Evaluator", {"builtin": ""}),
    ("Evaluator", {"builtin": "OffTopicAnswered", "config": ["not", "an", "object"]}),
    ("Evaluator", calibrated(floor={"labels": 49})),
    ("Evaluator", calibrated(maxTokens=0)),
    ("Evaluator", calibrated(labels={})),
    ("Evaluator", container(image="")),
    ("Evaluator", container(imagePullPolicy="Sometimes")),
    ("Evaluator", webhook(sends="Full")),
    ("Evaluator", judge(rubric="")),
    ("Evaluator", judge(labels={"fault": [], "ok": ["polite"]})),
    ("Evaluator", judge(sees=["Mood"])),
    ("MonitoringPolicy", alerting({"name": "open", "webhook": {"url": "https://a.example", "format": "XML"}})),
    ("MonitoringPolicy", alerting(routes=[{"receivers": []}])),
    ("AlertSilence", {}),
    ("AlertSilence", {"until": "tomorrow"}),
    ("EvaluationRun", {**LOOK_BACK, "from": "yesterday"}),
    ("EvaluationRun", {"items": [{"endpoint": "chat"}]}),
]

REFUSED_BY_RULE: list[tuple[str, Spec, str]] = [
    ("MonitoringPolicy", {"endpointSelector": {}, "alerts": {"via": "Direct"}}, "via Direct needs receivers"),
    ("MonitoringPolicy", alerting(via="Policy"), "via Direct needs receivers"),
    ("LLMEndpoint", {**EXTERNAL, "collector": {"mode": "Sidecar"}}, "only be seen through collector mode Gateway"),
    ("LLMEndpoint", {**EXTERNAL, "replicas": 2}, "an external API has no replicas of ours"),
    ("LLMEndpoint", {"backend": {}}, "set exactly one of workloadRef"),
    ("LLMEndpoint", {"backend": {**ADOPTED["backend"], **EXTERNAL["backend"]}}, "set exactly one of workloadRef"),
    ("LLMEndpoint", watched(port=18080), "ports 18080 and 18081 belong to the collector"),
    ("LLMEndpoint", run_by_us(port=18081), "ports 18080 and 18081 belong to the collector"),
    ("LLMEndpoint", run_by_us(podTemplate={"spec": {}}), "set exactly one of podTemplate and image"),
    ("LLMEndpoint", {"backend": {"template": {"port": 8080}}}, "set exactly one of podTemplate and image"),
    (
        "LLMEndpoint",
        {"backend": {"template": {**WHOLE["backend"]["template"], "command": ["serve"]}}},
        "command, args, env and resources belong to the short form",
    ),
    ("LLMEndpoint", {**SHORT, "scaling": {"minReplicas": 3, "maxReplicas": 2}}, "minReplicas must not be above"),
    (
        "LLMEndpoint",
        {**SHORT, "scaling": {"maxReplicas": 2, "objective": {"timeToFirstToken": "0s"}}},
        "timeToFirstToken must be longer than 0",
    ),
    (
        "LLMEndpoint",
        {**SHORT, "scaling": {"maxReplicas": 2, "objective": {"timePerOutputToken": "0h0ms"}}},
        "timePerOutputToken must be longer than 0",
    ),
    ("MonitoringPolicy", judged(failAbove="1O%"), '"1O%" is not a limit; write a share such as 1%'),
    (
        "LLMEndpoint",
        {**SHORT, "scaling": {"maxReplicas": 2, "objective": {"attainment": "99"}}},
        '"99" is not a share; write a number from 0 to 100',
    ),
    ("LLMEndpoint", {**SHORT, "service": {"name": "8ball"}}, '"8ball" is not a name of a Service; write a-z'),
    ("LLMEndpoint", {"backend": {"external": {"url": "api.example.com"}}}, "this is not a base URL; write http://"),
    ("LLMEndpoint", watched(name="Not_A_Label"), '"Not_A_Label" is not a name; write a-z, 0-9 and dashes'),
    ("LLMEndpoint", {**SHORT, "usage": {"callers": {"header": "Authorization"}}}, "this header holds a secret"),
    ("LLMEndpoint", {**SHORT, "usage": {"callers": {"header": "x team"}}}, '"x team" is not a name of a header'),
    ("LLMEndpoint", {**SHORT, "usage": {"prices": {**PRICES, "models": []}}}, "should have at least 1 items"),
    ("MonitoringPolicy", bound(LATENCY, over="5 min"), '"5 min" is not a duration; write whole numbers with h, m, s'),
    ("MonitoringPolicy", bound(LATENCY, over="5\nmin"), "this is not a duration; write whole numbers with h, m, s"),
    ("MonitoringPolicy", captured(maxBody="1G"), '"1G" is not a size; write a whole number of bytes'),
    ("MonitoringPolicy", bound(LATENCY, maxDuration="0s"), "maxDuration must be longer than 0"),
    ("MonitoringPolicy", bound(ERRORS, maxRate="0.00%"), "maxRate must be above 0%"),
    ("MonitoringPolicy", judged(failAbove=None, failBelow="0%"), "failBelow must be above 0%"),
    (
        "MonitoringPolicy",
        judged(failAbove="0%", budget={}),
        "a budget is of a share flagged: set failAbove to what is allowed, such as 5%, and leave statistic out",
    ),
    ("MonitoringPolicy", judged(failAbove=None, failBelow="90%", budget={}), "a budget is of a share flagged"),
    ("MonitoringPolicy", judged(statistic="Mean", budget={}), "a budget is of a share flagged"),
    ("MonitoringPolicy", judged(failAbove="800"), "a limit without % is one of a percentile"),
    ("MonitoringPolicy", judged(failAbove="800", statistic="Mean"), "a limit without % is one of a percentile"),
    ("MonitoringPolicy", captured(keepFor="59s"), "keepFor must be at least 1m"),
    ("MonitoringPolicy", {"endpointSelector": {}, "budget": {}}, "set at least one of judgeTokensPerDay,"),
    (
        "MonitoringPolicy",
        spending(costPerDay={"amount": "1", "currency": "USD"}, costPerMonth={"amount": "9", "currency": "EUR"}),
        "costPerDay and costPerMonth need one currency",
    ),
    ("MonitoringPolicy", costing(amount="5,00"), '"5,00" is not an amount of money; write in quotes a number'),
    ("MonitoringPolicy", costing(currency="usd"), '"usd" is not a currency; write its three letters of ISO 4217'),
    ("MonitoringPolicy", captured(maxBody="16777217"), "maxBody must be at most 16Mi"),
    ("MonitoringPolicy", captured(maxBody="999999Mi"), "maxBody must be at most 16Mi"),
    ("MonitoringPolicy", selecting(operator="In"), "In and NotIn need values"),
    ("MonitoringPolicy", selecting(operator="Exists", values=["a"]), "Exists and DoesNotExist have none"),
    ("MonitoringPolicy", bound(ERRORS, maxDuration="1s"), "OverloadRate) need maxRate"),
    ("MonitoringPolicy", bound(LATENCY, maxRate="1%"), "the latency metrics need maxDuration"),
    ("MonitoringPolicy", bound(ERRORS, percentile=95), "percentile belongs to the latency metrics"),
    ("MonitoringPolicy", bound(LATENCY, over="1s"), "over must be at least 10s"),
    (
        "MonitoringPolicy",
        judged(check={"builtin": "PII", "imported": RAGAS}),
        "set exactly one of builtin and imported",
    ),
    ("MonitoringPolicy", judged(check={"imported": RAGAS, "config": {}}), "config is for builtin; imported has none"),
    ("MonitoringPolicy", judged(check={"imported": {**RAGAS, "source": "a b"}}), '"a b" is not a name of scores'),
    ("Evaluator", {"imported": {**RAGAS, "flagAbove": "1%", "flagBelow": "1%"}}, "set at most one of flagAbove and"),
    ("MonitoringPolicy", judged(check=None), "set exactly one of check and evaluatorRef"),
    ("MonitoringPolicy", judged(failBelow="90%"), "set exactly one of failAbove and failBelow"),
    ("MonitoringPolicy", judged(notWorseThan={}), "set exactly one of baseline and revision"),
    ("MonitoringPolicy", judged(notWorseThan={"baseline": "5%", "by": "5%"}), "by belongs to revision, which needs it"),
    ("MonitoringPolicy", judged(notWorseThan={"revision": "Previous"}), "by belongs to revision, which needs it"),
    ("MonitoringPolicy", judged(every="2h"), "over must be at least as long as every"),
    ("MonitoringPolicy", judged(every="500ms"), "every must be at least 10s"),
    ("MonitoringPolicy", bound(LATENCY, over="61m"), "over must be at most 1h"),
    ("MonitoringPolicy", bound(ERRORS, budget={"period": "23h"}), "period must be at least 24h"),
    ("MonitoringPolicy", bound(ERRORS, budget={"period": "8761h"}), "period must be at most 8760h"),
    ("MonitoringPolicy", judged(over="25h"), "over must be at most 24h"),
    ("MonitoringPolicy", judged(every="15m", over="1h", minSamples=8_001), "minSamples must be at most 2000 for each"),
    (
        "MonitoringPolicy",
        {**judged(every="15m", over="1h"), "capture": {"keepFor": "14m"}},
        "every must be at most capture.keepFor",
    ),
    ("MonitoringPolicy", alerting({"name": "none"}), "set exactly one of shared, slack, teams, pagerDuty, email"),
    ("MonitoringPolicy", alerting({"name": "a", "slack": {}}), "set exactly one of webhookUrlFrom and tokenFrom"),
    ("MonitoringPolicy", alerting({"name": "a", "slack": {"tokenFrom": FROM}}), "a bot (tokenFrom) needs channel"),
    ("MonitoringPolicy", alerting({"name": "a", "webhook": {}}), "set exactly one of url and urlFrom"),
    (
        "MonitoringPolicy",
        alerting({"name": "a", "email": {**MAIL, "username": "a"}}),
        "username and passwordFrom need each other",
    ),
    (
        "MonitoringPolicy",
        alerting({"name": "a", "email": {**MAIL, "username": "a", "passwordFrom": FROM, "security": "None"}}),
        "a password needs security StartTLS or TLS",
    ),
    (
        "MonitoringPolicy",
        alerting({"name": "a", "teams": {"webhookUrlFrom": {"secretRef": {"name": "db", "key": "a"}}}}),
        '"db" is not a name of a Secret that Modelward may mount',
    ),
    ("MonitoringPolicy", alerting(routes=[{"receivers": ["nobody"]}]), "routes name receivers of this policy"),
    (
        "MonitoringPolicy",
        alerting(routes=[{"receivers": ["sre"], "alerts": ["NotReady/a"]}]),
        '"NotReady/a" is not an alert; write NotReady',
    ),
    ("MonitoringPolicy", alerting(timing={"repeatEvery": "1m"}), "repeatEvery must be at least 5m"),
    ("MonitoringPolicy", alerting(timing={"groupWait": "11m"}), "groupWait must be at most 10m"),
    ("MonitoringPolicy", alerting(timing={"closeUnknownAfter": "59m"}), "closeUnknownAfter must be at least 1h"),
    (
        "MonitoringPolicy",
        alerting({"name": "a", "email": {**MAIL, "server": "smtp.example.com"}}),
        '"smtp.example.com" is not a host with a port',
    ),
    ("MonitoringPolicy", alerting({"name": "a", "email": {**MAIL, "to": ["a"]}}), "this is not an address of mail"),
    (
        "MonitoringPolicy",
        alerting({"name": "a", "gitIssue": {"repository": "chat", "tokenFrom": FROM}}),
        '"chat" is not a repository; write its owner',
    ),
    (
        "MonitoringPolicy",
        alerting({"name": "a", "gitIssue": {"repository": "a/b", "tokenFrom": FROM, "apiUrl": "http://a"}}),
        "this is not an address of an API",
    ),
    (
        "MonitoringPolicy",
        alerting({"name": "a", "slack": {"tokenFrom": FROM, "channel": "a b"}}),
        '"a b" is not a channel; write its id',
    ),
    ("AlertSilence", {**SILENCE, "untilResolved": True}, "untilResolved acknowledges one alert"),
    (
        "AlertSilence",
        {**SILENCE, "endpoint": "chat", "alerts": ["Check"], "untilResolved": True},
        "untilResolved acknowledges one alert",
    ),
    ("AlertSilence", {"until": "1999-12-01T08:00:00Z"}, "until must lie between the years 2000 and 2200"),
    ("Evaluator", {}, ONE_KIND),
    (
        "Evaluator",
        {**container(), "builtin": "PII"},
        ONE_KIND,
    ),
    ("Evaluator", {**container(), **judge()}, ONE_KIND),
    ("Evaluator", {**container(), "config": {}}, "config belongs to builtin"),
    (
        "Evaluator",
        webhook(url="http://judge.example"),
        "this is not an address that text may be sent to; write https://",
    ),
    ("Evaluator", webhook(url="https://user:word@judge.example"), "this is not an address that text may be sent to"),
    (
        "Evaluator",
        webhook(secretRef={"name": "db-password"}),
        '"db-password" is not a name of a Secret that Modelward may mount; write modelward- and a word',
    ),
    ("Evaluator", finished(labels={"configMapRef": {"name": "brand-labels"}}), "exactly one of labels"),
    ("Evaluator", {"builtin": "Keywords", "calibration": {"maxAge": "720h"}}, "exactly one of labels"),
    ("Evaluator", calibrated(maxAge="59m"), "maxAge must be at least 1h"),
    ("Evaluator", calibrated(floor={"kappaLow": "40%"}), '"40%" is not a kappa'),
    (
        "Evaluator",
        webhook(secretRef={"name": "modelward-a", "key": "a/b"}),
        '"a/b" is not a key of a Secret; write letters',
    ),
    ("Evaluator", container(image="brand 1"), "this is not an image; write a name without spaces"),
    ("Evaluator", container(labels=["off brand"]), '"off brand" is not a kind of finding'),
    ("Evaluator", judge(model={}), "set exactly one of endpointRef and external"),
    ("Evaluator", judge(labels=None), "Single and Reference need labels"),
    ("Evaluator", judge(PAIRWISE, labels=JUDGE["labels"]), "Single and Reference need labels"),
    ("Evaluator", judge(PAIRWISE, references=None), "Reference and Pairwise need references"),
    ("Evaluator", judge(references=PAIRWISE["references"]), "Reference and Pairwise need references"),
    (
        "Evaluator",
        judge(PAIRWISE, examples=[{"answer": "Hi.", "label": "rude"}]),
        "examples have labels, and Pairwise has none of yours",
    ),
    ("Evaluator", judge(labels={"fault": ["rude!"], "ok": ["polite"]}), '"rude!" is not a label; write at most 32'),
    (
        "Evaluator",
        judge(model={"external": {**AZURE, "apiVersion": "a=b"}}),
        '"a=b" is not a version of an API; write letters',
    ),
    (
        "Evaluator",
        judge(model={"external": {**AZURE, "url": "http://judge.example"}}),
        "this is not an address that text may be sent to; write https://",
    ),
    (
        "Evaluator",
        judge(model={"external": {**AZURE, "credentials": {"secretRef": {"name": "judge-key"}}}}),
        '"judge-key" is not a name of a Secret that Modelward may mount',
    ),
    ("EvaluationRun", {}, "set exactly one of endpoint (look back) and items"),
    ("EvaluationRun", {**LOOK_BACK, "items": [ITEM]}, "set exactly one of endpoint (look back) and items"),
    ("EvaluationRun", {"endpoint": "chat", "from": LOOK_BACK["from"]}, "set both from and to, or neither"),
    ("EvaluationRun", {**LOOK_BACK, "to": LOOK_BACK["from"]}, "from must be before to"),
    ("EvaluationRun", {**LOOK_BACK, "from": "1999-12-31T00:00:00Z"}, "from and to must lie between the years 2000"),
    ("EvaluationRun", {**LOOK_BACK, "to": "2201-01-01T00:00:00Z"}, "from and to must lie between the years 2000"),
]

REFUSED_NAMES: list[tuple[str, str, str]] = [
    ("LLMEndpoint", "c" * 53, "the name must start with a letter and have at most 52 characters"),
    ("LLMEndpoint", "8ball", "the name must start with a letter"),
    ("LLMEndpoint", "chat.v2", "no dot"),
    ("MonitoringPolicy", "base.line", "at most 63 characters and no dot"),
    ("Evaluator", "t" * 64, "at most 63 characters and no dot"),
]

REFUSED_CHANGES: list[tuple[str, Spec, Spec, str]] = [
    ("LLMEndpoint", ADOPTED, EXTERNAL, "the kind of backend cannot change"),
    ("LLMEndpoint", SHORT, ADOPTED, "the kind of backend cannot change"),
    ("EvaluationRun", LOOK_BACK, {**LOOK_BACK, "endpoint": "other"}, "a run cannot change"),
    ("EvaluationRun", LOOK_BACK, {"endpoint": "chat"}, "a run cannot change"),
    ("EvaluationRun", {"items": [ITEM]}, {"items": [ITEM, {**ITEM, "policy": "second"}]}, "a run cannot change"),
]

ALLOWED_CHANGES: list[tuple[str, Spec, Spec]] = [
    ("LLMEndpoint", ADOPTED, watched(name="another", port=8000)),
    ("LLMEndpoint", SHORT, WHOLE),
    ("EvaluationRun", LOOK_BACK, {**LOOK_BACK, "suspend": True}),
]


@pytest.fixture(scope="module")
def trial(cluster: "Cluster", namespace: str) -> Iterator[Trial]:
    with installed(cluster, namespace) as trial:
        yield trial


def read(body: dict[str, Any]) -> str:
    """Return what the model has against the object, or nothing."""
    try:
        KINDS[body["kind"]].model.model_validate(body)
    except ValidationError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(("kind", "spec"), VALID)
def test_what_is_right_is_accepted_by_the_model_and_by_the_api_server(trial: Trial, kind: str, spec: Spec) -> None:
    body = trial.document(kind, spec)
    assert read(body) == ""
    assert trial.refusal(body) == ""


def test_every_example_is_accepted_by_the_model_and_by_the_api_server(trial: Trial) -> None:
    tried = 0
    for path in sorted(EXAMPLES.rglob("*.yaml")):
        for body in yaml.safe_load_all(path.read_text()):
            if body and body.get("apiVersion") == API_VERSION:
                example = trial.document(body["kind"], body["spec"], body["metadata"]["name"])
                assert (read(example), trial.refusal(example)) == ("", ""), path.name
                tried += 1
    assert tried > 0


@pytest.mark.parametrize(("kind", "spec"), REFUSED_BY_SCHEMA)
def test_what_has_a_wrong_shape_is_refused_by_the_model_and_by_the_api_server(
    trial: Trial, kind: str, spec: Spec
) -> None:
    body = trial.document(kind, spec)
    assert read(body) != ""
    assert "is invalid" in trial.refusal(body)


@pytest.mark.parametrize(("kind", "spec", "message"), REFUSED_BY_RULE)
def test_what_breaks_a_rule_is_refused_in_our_words(trial: Trial, kind: str, spec: Spec, message: str) -> None:
    assert message in trial.refusal(trial.document(kind, spec))


@pytest.mark.parametrize(("kind", "name", "message"), REFUSED_NAMES)
def test_a_name_that_others_could_not_build_on_is_refused(trial: Trial, kind: str, name: str, message: str) -> None:
    spec = next(spec for known, spec in VALID if known == kind)
    assert message in trial.refusal(trial.document(kind, spec, name))


@pytest.fixture
def stored(trial: Trial, request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of an object of the test's own kind and spec, really stored."""
    kind, spec = request.param
    trial.store(trial.document(kind, spec, "stored"))
    yield "stored"
    trial.remove(kind, "stored")


@pytest.mark.parametrize(
    ("stored", "kind", "spec", "message"),
    [((kind, before), kind, after, message) for kind, before, after, message in REFUSED_CHANGES],
    indirect=["stored"],
)
def test_what_is_settled_cannot_be_changed(trial: Trial, stored: str, kind: str, spec: Spec, message: str) -> None:
    assert message in trial.refused_change(trial.document(kind, spec, stored))


@pytest.mark.parametrize(
    ("stored", "kind", "spec"),
    [((kind, before), kind, after) for kind, before, after in ALLOWED_CHANGES],
    indirect=["stored"],
)
def test_the_rest_can_be_changed(trial: Trial, stored: str, kind: str, spec: Spec) -> None:
    assert trial.refused_change(trial.document(kind, spec, stored)) == ""


def test_a_misspelt_duration_is_refused_in_one_sentence(trial: Trial) -> None:
    """The rules that reckon with it hold where it is none."""
    spec = {"endpointSelector": {}, "evaluations": [{**TOPIC, "every": "daily"}], "objectives": [LATENCY]}
    refusal = trial.refusal(trial.document("MonitoringPolicy", spec))
    assert refusal.count("Invalid value") == 1
    assert "spec.evaluations[0].every" in refusal


def test_every_rule_is_tried_here() -> None:
    tried = [str(case[-1]) for case in (*REFUSED_BY_RULE, *REFUSED_NAMES, *REFUSED_CHANGES)]
    rules = {
        rule["message"]
        for definition in crd.documents()
        for _, node in walk(definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"])
        for rule in node.get("x-kubernetes-validations", ())
    }
    said = [message.partition(" is not ")[2] or message for message in tried]
    assert [rule for rule in rules if not any(message in rule for message in said)] == []


def test_an_unknown_field_is_named_and_not_swallowed(trial: Trial) -> None:
    body = trial.document("LLMEndpoint", {**ADOPTED, "replica": 3})
    assert 'unknown field "spec.replica"' in trial.refusal(body)


def test_defaults_are_those_of_the_models(trial: Trial) -> None:
    for kind, spec in VALID:
        body = trial.document(kind, spec)
        seen = trial.tried(body)
        model = KINDS[kind].model
        ours, theirs = model.model_validate(body), model.model_validate(seen)
        assert ours.wire()["spec"] == theirs.wire()["spec"]
        assert "status" not in seen

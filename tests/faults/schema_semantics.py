"""What a schema cannot say of a field: amounts, images, workloads that exist, evaluators that there are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import schema_rules
from hypothesis import strategies as st
from schema_strategies import Overlay, Schema, SchemaPath, at, kinds, values

_WORD = st.from_regex(r"[a-z]{1,8}", fullmatch=True)
_IMAGE = st.from_regex(r"modelward\.invalid/[a-z]{1,6}:[0-9]", fullmatch=True)
_TEXT = st.from_regex(r"--[a-z]{1,8}(=[0-9]{1,4})?", fullmatch=True)


def _amounts(cpu: tuple[Any, ...], memory: tuple[str, ...]) -> st.SearchStrategy[Any]:
    both = {"cpu": st.sampled_from(cpu), "memory": st.sampled_from(memory)}
    return st.fixed_dictionaries({"cpu": both["cpu"]}, optional={"memory": both["memory"]})


_REQUESTS = _amounts(("50m", "250m", "750m"), ("96Mi", "256Mi", "512Mi"))
_LIMITS = _amounts(("1", 2, "2500m"), ("1Gi", "2Gi"))
"""Above any request, also above those that are there by default."""
_ENV = st.lists(
    st.fixed_dictionaries({"name": st.from_regex(r"[A-Z]{1,6}", fullmatch=True)}, optional={"value": _WORD}),
    max_size=2,
    unique_by=lambda variable: variable["name"],
)


@st.composite
def _pod_templates(draw: st.DrawFn) -> dict[str, Any]:
    container: dict[str, Any] = {"name": "model", "image": draw(_IMAGE)}
    more = {"args": st.lists(_TEXT, max_size=2), "env": _ENV, "workingDir": _WORD.map(lambda word: f"/{word}")}
    container |= draw(st.fixed_dictionaries({}, optional=more))
    sidecar = {"name": "logs", "image": draw(_IMAGE)}
    spec = {"containers": draw(st.sampled_from([[container], [container, sidecar], [sidecar, container]]))}
    grace = st.fixed_dictionaries({}, optional={"terminationGracePeriodSeconds": st.integers(0, 7_200)})
    about = st.fixed_dictionaries({}, optional={"labels": st.dictionaries(_WORD, _WORD, max_size=2)})
    metadata = draw(about)
    return {**({"metadata": metadata} if metadata else {}), "spec": {**spec, **draw(grace)}}


REFERENCES: tuple[dict[str, Any], ...] = (
    {"name": "my-vllm"},
    {"name": "my-vllm", "container": "server"},
    {"name": "my-vllm", "port": 8000},
    {"name": "my-vllm", "port": 8100},
    {"name": "my-vllm", "acceptRestart": True},
    {"name": "my-other"},
    {"name": "my-other", "apiVersion": "apps/v1", "kind": "Deployment"},
    {"kind": "StatefulSet", "name": "my-set"},
    {"kind": "StatefulSet", "name": "my-set", "container": "second", "port": 9000},
)
"""Of the workloads that stand in every namespace of the test."""
_SCOPE = st.lists(st.sampled_from(["questions about cards", "questions about loans"]), min_size=1, max_size=2)
_CHECKS = st.one_of(
    st.builds(
        lambda name, scope: {"builtin": name, "config": {"inScope": scope}},
        st.sampled_from(["OffTopicAnswered", "OnTopicRefused"]),
        _SCOPE,
    ),
    st.fixed_dictionaries(
        {"builtin": st.just("PII")},
        optional={"config": st.fixed_dictionaries({}, optional={"ignoreEchoed": st.booleans()})},
    ),
)
_RESOURCES = st.fixed_dictionaries({"requests": _REQUESTS}, optional={"limits": _LIMITS})
_EVALUATION = ("evaluations", "[]")
OVERLAYS: Mapping[str, Overlay] = {
    "LLMEndpoint": {
        ("backend", "workloadRef"): st.sampled_from(REFERENCES),
        ("backend", "external", "url"): st.from_regex(r"https?://[a-z]{1,8}\.example(:8443)?(/v1)?", fullmatch=True),
        ("backend", "template", "podTemplate"): _pod_templates(),
        ("backend", "template", "image"): _IMAGE,
        ("backend", "template", "command"): st.lists(_TEXT, max_size=2),
        ("backend", "template", "args"): st.lists(_TEXT, max_size=2),
        ("backend", "template", "env"): _ENV,
        ("backend", "template", "resources", "requests"): _REQUESTS,
        ("backend", "template", "resources", "limits"): _LIMITS,
        ("collector", "resources"): _RESOURCES,
        ("service", "name"): st.from_regex(r"front-[a-z]{5}", fullmatch=True),
        ("replicas",): st.integers(0, 1000),
        ("paused",): st.sampled_from([False, False, False, True]),
    },
    "MonitoringPolicy": {
        ("endpointSelector", "matchLabels"): st.sampled_from([{"team": "retail"}, {"team": "retail"}, {}, {"a": "b"}]),
        ("endpointSelector", "matchExpressions", "[]", "key"): st.sampled_from(["team", "tier"]),
        ("capture", "content"): st.sampled_from(["None", "MetadataOnly", "Redacted", "Redacted"]),
        (*_EVALUATION, "check"): _CHECKS,
        (*_EVALUATION, "evaluatorRef"): st.just({"name": "scope"}),
        (*_EVALUATION, "failBelow"): None,
        (*_EVALUATION, "statistic"): st.just("Share"),
    },
    "Evaluator": {
        ("builtin",): st.just("PII"),
        ("config",): st.fixed_dictionaries({"ignoreEchoed": st.booleans()}),
        ("container", "image"): _IMAGE,
        ("container", "args"): st.lists(_TEXT, max_size=2),
        ("container", "env"): _ENV,
        ("container", "resources"): _RESOURCES,
        ("webhook", "url"): st.from_regex(r"http://[a-z]{1,8}\.retail\.svc(:8443)?(/v1)?", fullmatch=True),
        ("judge", "model", "endpointRef", "name"): st.sampled_from(["short", "outside"]),
        ("judge", "model", "external", "url"): st.from_regex(r"https://[a-z]{1,8}\.example(:8443)?/v1", fullmatch=True),
        ("judge", "labels"): st.sampled_from(
            [{"fault": ["rude"], "ok": ["polite"]}, {"fault": ["rude"], "ok": ["polite"], "abstain": ["unclear"]}]
        ),
        ("judge", "examples", "[]", "label"): st.sampled_from(["rude", "polite"]),
    },
    "AlertSilence": {},
    "EvaluationRun": {("endpoint",): st.sampled_from(["short", "outside"]), ("items",): None},
}
_AMOUNTS = {"requests": {"cpu": "50m"}, "limits": {"memory": "1Gi"}}
_SCALING = {
    "mode": "Advisory",
    "minReplicas": 1,
    "maxReplicas": 2,
    "objective": {"timeToFirstToken": "2s", "timePerOutputToken": "100ms", "attainment": "99%"},
    "scaleDownHold": "10m",
    "tokensPerSecond": 100,
}
_REST = {
    "engine": "vllm",
    "usage": {
        "prices": {
            "currency": "USD",
            "models": [
                {
                    "model": "*",
                    "perMillionInputTokens": "0.15",
                    "perMillionCachedInputTokens": "0.08",
                    "perMillionOutputTokens": "0.60",
                }
            ],
        },
        "callers": {"header": "x-team", "max": 50},
    },
    "gateway": {"replicas": 2},
    "drainSeconds": 30,
    "paused": False,
}
_SHORT = {
    "port": 8080,
    "image": "modelward.invalid/vllm:0",
    "command": ["--serve"],
    "args": ["--metrics"],
    "env": [{"name": "A", "value": "a"}],
    "resources": _AMOUNTS,
}
_WHOLE = {"port": 8080, "podTemplate": {"spec": {"containers": [{"name": "model", "image": "modelward.invalid/m:0"}]}}}
_GATEWAY = {"mode": "Gateway"}
_WATCHED = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "my-vllm", "container": "server", "port": 8000}
_OBJECTIVE = {"over": "15m", "minRequests": 100, "severity": "Warning"}
_EVALUATED = {
    "failAbove": "10%",
    "statistic": "Share",
    "notWorseThan": {"baseline": "5%"},
    "every": "15m",
    "over": "1h",
    "minSamples": 100,
    "affects": "Quality",
    "severity": "Warning",
}
_JUDGE = {
    "rubric": "A rude answer insults the user.",
    "sees": ["Question", "Answer"],
    "readout": "Auto",
    "maxTokens": 256,
    "concurrency": 4,
    "deadlineSeconds": 60,
    "maxSamples": 200,
}
_GOOD_ANSWERS = [{"question": "What is a card?", "answer": "A way to pay."}]
_CALIBRATION = {
    "labels": {"configMapRef": {"name": "labelled"}},
    "floor": {"labels": 50, "perClass": 15, "kappaLow": "0.4", "maxFlips": "5%"},
    "maxAge": "720h",
    "maxTokens": 500_000,
}
_FROM = {"secretRef": {"name": "modelward-alerts", "key": "value"}}
_MAIL = {"server": "smtp.example.com:587", "security": "TLS", "username": "a", "passwordFrom": _FROM}
_ALERTS = {
    "via": "Direct",
    "receivers": [
        {"name": "sre", "shared": "oncall"},
        {"name": "hook", "slack": {"webhookUrlFrom": _FROM}},
        {"name": "bot", "slack": {"tokenFrom": _FROM, "channel": "C0123456789"}},
        {"name": "teams", "teams": {"webhookUrlFrom": _FROM}},
        {"name": "pager", "pagerDuty": {"routingKeyFrom": _FROM, "region": "EU"}},
        {"name": "mail", "email": {**_MAIL, "from": "modelward@example.com", "to": ["oncall@example.com"]}},
        {"name": "open", "webhook": {"url": "https://a.example/b", "format": "CloudEvents", "tokenFrom": _FROM}},
        {"name": "closed", "webhook": {"urlFrom": _FROM, "signingKeyFrom": _FROM}},
        {
            "name": "issues",
            "gitIssue": {"forge": "GitHub", "repository": "a/b", "tokenFrom": _FROM, "apiUrl": "https://a"},
        },
    ],
    "routes": [
        {
            "alerts": ["NotReady", "Check"],
            "severities": ["Critical"],
            "receivers": ["sre"],
            "groupBy": ["Endpoint"],
            "unacknowledgedFor": "15m",
        }
    ],
    "timing": {
        "groupWait": "30s",
        "groupInterval": "5m",
        "repeatEvery": "12h",
        "resolveAfter": "10m",
        "cooldown": "15m",
        "closeUnknownAfter": "24h",
    },
}
BASES: Mapping[str, Mapping[str, dict[str, Any]]] = {
    "LLMEndpoint": {
        "short": {
            **_REST,
            "service": {"name": "front-short", "port": 80},
            "backend": {"template": _SHORT},
            "collector": {"mode": "Sidecar", "resources": _AMOUNTS},
            "replicas": 1,
            "scaling": _SCALING,
        },
        "whole": {
            "engine": "llamacpp",
            "backend": {"template": _WHOLE},
            "replicas": 2,
            "collector": {"mode": "Gateway"},
        },
        "watched": {
            **_REST,
            "service": {"name": "front-watched", "port": 80},
            "backend": {"workloadRef": {**_WATCHED, "acceptRestart": False}},
            "collector": {"mode": "ScrapeOnly"},
            "scaling": {"mode": "Off", "maxReplicas": 2},
        },
        "outside": {
            **_REST,
            "service": {"name": "front-outside", "port": 80},
            "engine": "openai",
            "backend": {"external": {"url": "https://api.example/v1"}},
            "collector": {"mode": "Gateway", "resources": _AMOUNTS},
        },
    },
    "MonitoringPolicy": {
        "alerting": {"endpointSelector": {"matchLabels": {"team": "retail"}}, "alerts": _ALERTS},
        "baseline": {
            "endpointSelector": {
                "matchLabels": {"team": "retail"},
                "matchExpressions": [{"key": "team", "operator": "In", "values": ["retail"]}],
            },
            "capture": {
                "content": "Redacted",
                "sample": "10%",
                "always": {"errors": True, "slowerThan": "10s"},
                "keepFor": "168h",
                "maxBody": "256Ki",
            },
            "objectives": [
                {"name": "first", "metric": "TimeToFirstToken", "percentile": 95, "maxDuration": "2s", **_OBJECTIVE},
                {"name": "errors", "metric": "ErrorRate", "maxRate": "1%", "budget": {"period": "672h"}, **_OBJECTIVE},
            ],
            "evaluations": [
                {
                    "name": "leaks",
                    "check": {"builtin": "PII", "config": {"ignoreEchoed": True}},
                    "notWorseThan": {"baseline": "5%"},
                    "budget": {"period": "672h"},
                    **_EVALUATED,
                },
                {
                    "name": "scope",
                    "evaluatorRef": {"kind": "Evaluator", "name": "scope"},
                    "notWorseThan": {"revision": "Previous", "by": "5%"},
                    **_EVALUATED,
                },
                {
                    "name": "faithful",
                    "check": {"imported": {"name": "faithfulness", "source": "ragas", "flagBelow": "50%"}},
                    **_EVALUATED,
                },
                {
                    "name": "toxic",
                    "check": {"imported": {"name": "toxicity", "source": "perspective", "flagAbove": "50%"}},
                    **_EVALUATED,
                },
                {"name": "quietly", "check": {"builtin": "PII"}, **_EVALUATED, "severity": "Info"},
            ],
            "budget": {
                "judgeTokensPerDay": 200_000,
                "judgeCostPerDay": {"amount": "5.00", "currency": "USD"},
                "perRun": "25%",
                "costPerDay": {"amount": "20.00", "currency": "USD"},
                "costPerMonth": {"amount": "400.00", "currency": "USD"},
            },
            "paused": False,
        },
        "nobody": {"endpointSelector": {"matchLabels": {"team": "none"}}, "capture": {"content": "Redacted"}},
    },
    "Evaluator": {
        "scope": {"builtin": "PII", "config": {"ignoreEchoed": True}},
        "toxic": {"imported": {"name": "toxicity", "source": "perspective", "flagAbove": "50%"}},
        "faithful": {"imported": {"name": "faithfulness", "source": "ragas", "flagBelow": "50%"}},
        "leaks": {"builtin": "PII", "calibration": _CALIBRATION},
        "shipped": {
            "builtin": "Keywords",
            "config": {"competitors": ["Acme"]},
            "calibration": {
                **{name: value for name, value in _CALIBRATION.items() if name != "labels"},
                "finished": {"configMapRef": {"name": "made-before"}},
            },
        },
        "rude": {
            "judge": {
                **_JUDGE,
                "model": {"endpointRef": {"kind": "LLMEndpoint", "name": "short", "model": "small"}},
                "mode": "Single",
                "labels": {"fault": ["rude"], "ok": ["polite"], "abstain": ["unclear"]},
                "examples": [{"question": "What is a card?", "answer": "Go away.", "label": "rude"}],
            },
        },
        "better": {
            "judge": {
                **_JUDGE,
                "model": {
                    "external": {
                        "url": "https://judge.example/v1",
                        "model": "large",
                        "apiVersion": "2024-10-21",
                        "credentials": {
                            "secretRef": {"name": "modelward-judge", "key": "api-key"},
                            "header": "api-key",
                        },
                        "prices": {
                            "currency": "USD",
                            "perMillionInputTokens": "0.15",
                            "perMillionOutputTokens": "0.60",
                        },
                    }
                },
                "mode": "Pairwise",
                "references": _GOOD_ANSWERS,
            }
        },
        "brand": {
            "container": {
                "image": "modelward.invalid/brand:0",
                "imagePullPolicy": "IfNotPresent",
                "args": ["--fast"],
                "env": [{"name": "A", "value": "a"}],
                "resources": _AMOUNTS,
                "sends": "Redacted",
                "labels": ["off-brand"],
                "config": {"tone": "calm"},
            }
        },
        "claims": {
            "webhook": {
                "url": "http://claims.retail.svc:8080",
                "secretRef": {"name": "modelward-claims", "key": "signing-key"},
                "sends": "MetadataOnly",
                "labels": ["unproven"],
                "config": {"strict": True},
            }
        },
    },
    "AlertSilence": {
        "maintenance": {
            "endpoint": "short",
            "alerts": ["BudgetBurn/errors"],
            "until": "2026-12-01T08:00:00Z",
            "untilResolved": True,
            "comment": "rolling back",
            "author": "oidc:ana",
        }
    },
    "EvaluationRun": {
        "look": {"endpoint": "short", "from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z", "suspend": False},
        "tick": {
            "items": [
                {
                    "endpoint": "short",
                    "policy": "baseline",
                    "evaluation": "scope",
                    "from": "2026-01-01T00:00:00Z",
                    "to": "2026-01-01T01:00:00Z",
                }
            ]
        },
    },
}
"""One spec of each form, by the name of its object; together they say every field that there is."""
SCHEMAS: Mapping[str, Schema] = kinds()


def specs(kind: str, *, sensible: bool = True) -> st.SearchStrategy[dict[str, Any]]:
    """Return the valid specs of a kind; not `sensible`: all that the API server takes, whatever it means."""
    schema = SCHEMAS[kind]
    anything: Overlay = {("backend", "template", "podTemplate"): _pod_templates()}
    overlay = OVERLAYS[kind] if sensible else anything
    return values(schema, overlay).map(lambda spec: schema_rules.mended(schema, spec))


def field_values(kind: str, path: SchemaPath) -> st.SearchStrategy[Any]:
    """Return the values of one field that make sense."""
    return values(at(SCHEMAS[kind], path), OVERLAYS[kind], path)

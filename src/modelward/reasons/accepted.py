"""Reasons of an endpoint's Accepted: whether what is declared can be carried out."""

from __future__ import annotations

from modelward.reasons.reason import Reason, ReasonTable


class AcceptedReason(ReasonTable, kind="LLMEndpoint", conditions=("Accepted",)):
    """Why an LLMEndpoint is accepted or not."""

    VALID = Reason("Valid", "the spec can be carried out")
    STATUS_CUT = Reason(
        "StatusCut",
        "the spec can be carried out; status has no room to list all policies or checks, which count all the same",
        "more than 50 policies, 200 objectives or 200 evaluations watch one endpoint",
        "join policies; checks that failed are listed first",
    )
    PAUSED = Reason(
        "Paused",
        "the endpoint is observed and reported; nothing is written but its status, and the hub's"
        " certificate authority where that changed",
        "`spec.paused` is true",
        "`spec.paused: false` when changes shall be carried out again",
    )
    INVALID_SPEC = Reason(
        "InvalidSpec",
        "the spec cannot be read by this version; the message names the field",
        "CustomResourceDefinitions and operator are of different releases; or nothing can connect to `external.url`",
        "`modelward doctor`; `kubectl explain llmep.spec`",
    )
    TARGET_NOT_FOUND = Reason(
        "TargetNotFound",
        "the workload of `workloadRef` is not in this namespace",
        "another name, kind or namespace, or it comes later",
        "`kubectl get deploy,sts -n NS`",
    )
    TARGET_AMBIGUOUS = Reason(
        "TargetAmbiguous",
        "it is not clear which container or port is the model server; the message lists the candidates",
        "several containers with ports, or several ports",
        "set `workloadRef.container` and `port`",
    )
    TARGET_TAKEN = Reason(
        "TargetTaken",
        "another LLMEndpoint writes to the same workload: an older one that refers to it, or the one that runs it; this"
        " one reads and reports, and writes nothing",
        "two LLMEndpoints with one `workloadRef`, each with `replicas`, `scaling.mode: Direct` or mode `Sidecar`",
        "delete one of them, or leave those fields out of this one; it proceeds when the older one goes",
    )
    INVALID_TEMPLATE = Reason(
        "InvalidTemplate",
        "the API server, or a rule of ours, refuses the template; the message quotes it",
        "a misspelt field; no container named `model`; ports 18080 or 18081, or a name of the collector's, are taken",
        "`modelward preflight FILE`; `modelward render FILE` for what would be applied",
    )
    NAME_TAKEN = Reason(
        "NameTaken",
        "an object of the name that we need exists and is not ours",
        "a Service or Deployment of the endpoint's name already existed; or the endpoint was deleted and recreated,"
        " and Kubernetes has not yet removed the former one's objects",
        "the message says what to rename (`spec.service.name` for a Service); a former endpoint's objects go away",
    )
    REFUSED = Reason(
        "Refused",
        "an object was refused, or the workload cannot be adopted; the message says which",
        "a quota, an admission policy, missing rights; or the workload's kind, `hostNetwork`, strategy `Recreate`,"
        " ports, volumes, a selector by `matchExpressions`, another LLMEndpoint that has adopted it",
        "`kubectl get quota -n NS`; or use mode `Gateway`",
    )

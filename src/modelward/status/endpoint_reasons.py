"""Reasons of the conditions that say whether an endpoint is declared well, serves, is seen and is scaled."""

from __future__ import annotations

from modelward.status.reason import Reason

_PODS = "`kubectl get pods -n NS -l modelward.dev/endpoint=NAME`, then `kubectl logs`"
_NOT_STARTING = (
    ("CrashLoopBackOff", "the container named in the message ends again and again"),
    ("CreateContainerConfigError", "a ConfigMap or Secret that the container needs is missing"),
    ("CreateContainerError", "the container runtime cannot make the container"),
    ("RunContainerError", "the container runtime cannot start the container"),
)

ACCEPTED = (
    Reason("Valid", "the spec can be carried out"),
    Reason(
        "StatusCut",
        "the spec can be carried out; status has no room to list all policies or checks, which count all the same",
        "more than 50 policies, 200 objectives or 200 evaluations watch one endpoint",
        "join policies; checks that failed are listed first",
    ),
    Reason(
        "Paused",
        "the endpoint is looked at and reported; nothing is written but its status, and the hub's"
        " certificate authority where that changed",
        "`spec.paused` is true",
        "`spec.paused: false` when changes shall be carried out again",
    ),
    Reason(
        "InvalidSpec",
        "the spec cannot be read by this version; the message names the field",
        "CustomResourceDefinitions and operator are of different releases; or nothing can connect to `external.url`",
        "`modelward doctor`; `kubectl explain llmep.spec`",
    ),
    Reason(
        "TargetNotFound",
        "the workload of `workloadRef` is not in this namespace",
        "another name, kind or namespace, or it comes later",
        "`kubectl get deploy,sts -n NS`",
    ),
    Reason(
        "TargetAmbiguous",
        "it is not clear which container or port is the model server; the message lists the candidates",
        "several containers with ports, or several ports",
        "set `workloadRef.container` and `port`",
    ),
    Reason(
        "TargetTaken",
        "another LLMEndpoint writes to the same workload: an older one that refers to it, or the one that runs it; this"
        " one reads and reports, and writes nothing",
        "two LLMEndpoints with one `workloadRef`, each with `replicas`, `scaling.mode: Direct` or mode `Sidecar`",
        "delete one of them, or leave those fields out of this one; it proceeds when the older one goes",
    ),
    Reason(
        "InvalidTemplate",
        "the API server, or a rule of ours, refuses the template; the message quotes it",
        "a misspelt field; no container named `model`; ports 18080 or 18081, or a name of the collector's, are taken",
        "`modelward preflight FILE`; `modelward render FILE` for what would be applied",
    ),
    Reason(
        "NameTaken",
        "an object of the name that we need exists and is not ours",
        "a Service or Deployment of the endpoint's name was there before; or the endpoint was deleted and declared"
        " anew, and Kubernetes has not removed yet what the former one had",
        "the message says what to rename, for a Service `spec.service.name`; what a former endpoint had goes by itself",
    ),
    Reason(
        "Refused",
        "an object was refused, or the workload cannot be adopted; the message says which",
        "a quota, an admission policy, missing rights; or the workload's kind, `hostNetwork`, strategy `Recreate`,"
        " ports, volumes, a selector by `matchExpressions`, another LLMEndpoint that has adopted it",
        "`kubectl get quota -n NS`; or use mode `Gateway`",
    ),
)
WORKLOAD = (
    Reason("Serving", "at least one pod serves"),
    Reason(
        "EditedByOther",
        "it serves, with a pod template in which somebody changed what you wrote; the message names the fields",
        "`kubectl edit` or `kubectl set image` on the Deployment; it stays, for putting it back restarts the model",
        "write the change into the LLMEndpoint; or set annotation `modelward.dev/rollout-at` on it to put yours back",
    ),
    Reason(
        "Creating",
        "the Deployment does not exist yet, or not any more",
        "it was just declared, or its creation is refused",
        "wait; if it stays, look at `Accepted`",
    ),
    Reason(
        "Asleep",
        "`scaling.minReplicas` is 0 and no requests came, so the scaler took the last replica away: it serves when"
        " the next one comes",
        "no requests come",
        "nothing; the next request to the gateway starts a replica",
    ),
    Reason(
        "UpstreamRefused",
        "pods are ready, and for 30 s every connection from the collector to the model server failed; the message names"
        " the port",
        "a wrong `port` in `workloadRef` or `template`; the server listens on another address or is still loading",
        "`kubectl logs -n NS POD`; correct the port",
    ),
    Reason(
        "ScaledToZero",
        "`replicas` is 0",
        "a person, or another autoscaler, asked for none",
        "`kubectl scale llmep -n NS NAME --replicas=1`",
    ),
    Reason("NotReady", "pods run but none is ready", "the model still loads, or its probe fails", _PODS),
    Reason(
        "Unschedulable",
        "no node has room; the message is the scheduler's",
        "GPUs are taken; taints, node selectors, quotas",
        "`kubectl describe pod -n NS POD`",
    ),
    Reason(
        "ImageNotPullable",
        "an image cannot be pulled",
        "wrong image or missing pull secret",
        "`kubectl describe pod -n NS POD`; `podSettings.imagePullSecrets`",
    ),
    *(
        Reason(
            name, meaning, "wrong arguments, too little memory, a missing file", "`kubectl logs POD -c CONTAINER -p`"
        )
        for name, meaning in _NOT_STARTING
    ),
    Reason(
        "Refused",
        "pods are refused; the message quotes it",
        "a quota or an admission policy",
        "`kubectl get events -n NS --field-selector reason=FailedCreate`",
    ),
    Reason("InvalidSpec", "the spec cannot be read, so nothing is known", "see `Accepted`", "see `Accepted`"),
)
COLLECTOR = (
    Reason("SeesTraffic", "every pod's collector is ready"),
    Reason(
        "ScrapeOnly",
        "there is no collector: only the engine's own metrics are read",
        "it was chosen, or is the default of `workloadRef`",
        "to have answers checked, `collector.mode: Gateway` or `Sidecar`",
    ),
    Reason("NoPods", "no pod runs", "see `WorkloadReady`", "look at `WorkloadReady`"),
    Reason(
        "Rehearsing",
        "the workload is as it was: first one pod of the collector alone, `NAME-rehearsal`, must start beside it",
        "it is about to be adopted, and the pod is being started",
        "wait; if it stays, `kubectl describe pod -n NS -l modelward.dev/component=rehearsal`",
    ),
    *(reason for reason in ACCEPTED if reason.name in ("NameTaken", "InvalidTemplate")),
    Reason(
        "AwaitingReload",
        "traffic is seen, but some collectors still run the settings of before, a tightened capture too",
        "a policy was changed; the kubelet brings new settings within two minutes",
        "wait; if it stays, `kubectl logs -n NS POD -c modelward-collector`",
    ),
    Reason(
        "AwaitingRollout",
        "True: some pods run a collector of another release, and are seen; False: some pods have none",
        "True: Modelward was upgraded, which restarts no model; False: a roll-out goes on, or is stuck or paused",
        "True: nothing, or roll the workload; False: `kubectl rollout status -n NS deploy/NAME`",
    ),
    Reason(
        "Starting",
        "collectors run and are not all ready",
        "they have just been started",
        "wait; then `kubectl logs -n NS POD -c modelward-collector`",
    ),
    Reason(
        "Bypassed",
        "less than 90 % of the engine's requests came through the collector",
        "clients use another Service than ours",
        "send clients to `status.address.url`, or give your own Service `targetPort: 18080`",
    ),
    Reason(
        "ServiceBypasses",
        "traffic is seen, but the Service in the message leads to the model server's own port: what comes through it is"
        " neither measured nor judged",
        "a Service from before the sidecar, with the model's port as `targetPort`",
        "`kubectl edit svc -n NS SERVICE`: `targetPort: 18080`; or send clients to `status.address.url`",
    ),
    Reason(
        "ImageNotPullable",
        "the collector's image cannot be pulled",
        "the registry is not reachable from here, or a pull secret is missing",
        "`kubectl describe pod -n NS POD`; `podSettings.imagePullSecrets`, `collectorImage`",
    ),
    *(
        Reason(name, meaning, "the collector's memory limit, an admission policy", "`kubectl describe pod -n NS POD`")
        for name, meaning in _NOT_STARTING
    ),
    Reason(
        "Unschedulable",
        "no node takes the pod that is tried before an adoption; the message is the scheduler's",
        "nodes are full or tainted: the workload's own node selector and tolerations hold for it",
        "make room, or `collector.resources`",
    ),
    Reason(
        "Refused",
        "the gateway's pods, or the one that is tried before an adoption, are refused; the message quotes it",
        "a quota or an admission policy",
        "`kubectl get events -n NS --field-selector reason=FailedCreate`",
    ),
    Reason(
        "OwnedByAnotherController",
        "the workload cannot be adopted",
        "another controller (KServe and the like) owns it and would revert us",
        "mode `Gateway`",
    ),
    Reason(
        "RemovedByOther",
        "somebody took the sidecar out of the workload; it stays out",
        "a tool that applies whole lists of containers, or a person",
        "to put it back set the annotation `modelward.dev/rollout-at` on the LLMEndpoint to a new value",
    ),
)
METRICS = (
    Reason("Fresh", "every pod gave numbers within 30 s"),
    Reason("NoPods", "there is no pod to read", "see `WorkloadReady`", "look at `WorkloadReady`"),
    Reason(
        "EngineExportsNothing",
        "no metrics can come",
        "mode `ScrapeOnly` with an engine that has no metrics page (`ollama`, `openai`)",
        "`collector.mode: Sidecar` or `Gateway`",
    ),
    Reason(
        "Missing",
        "no page can be read: none was yet, or what comes holds no metrics, is too large or too slow; the message says",
        "metrics are turned off in the engine, `engine` is another one, or a release of it renamed its metrics",
        "set `spec.engine` as the message says; turn metrics on (llama.cpp: `--metrics`)",
    ),
    Reason(
        "Stale",
        "there were numbers, and for 30 s there were none",
        "the operator is busy, or was just started",
        "`kubectl logs -n modelward-system deploy/modelward`",
    ),
    Reason(
        "PartialSignals",
        "pages are read, but pods lack numbers that they gave within the last hour or that their page names",
        "NaN or negative values, a renamed metric, or an engine whose page its collector cannot read any more",
        "look at the metrics page of the pod that the message names; what is not known is `Unknown` in each check",
    ),
    Reason("PartialPods", "some pods give numbers", "the message says why another does not", "look at that pod"),
    Reason(
        "ScrapeBlocked",
        "the connection is refused or times out; the message has address and port",
        "a NetworkPolicy, or a mesh that insists on mTLS",
        "let the operator reach port 18081 of the pods (`ScrapeOnly`: the engine's port)",
    ),
)
SCALING = (
    Reason("Load", "as many replicas as the load asks for; the message has the numbers"),
    Reason("Idle", "no requests", "nobody asks", "nothing; `minReplicas` is kept"),
    Reason("Steady", "the number of replicas fits"),
    Reason(
        "SlowTokens",
        "tokens come slower than the objective",
        "the replicas are busy",
        "nothing; it adds replicas, and takes them back if they do not help",
    ),
    Reason(
        "SlowFirstToken",
        "first tokens come later than the objective",
        "the replicas are busy",
        "nothing; it adds replicas, and takes them back if they do not help",
    ),
    Reason("ScaleDownHold", "fewer would do", "the message says what is waited for", "`scaling.scaleDownHold`"),
    Reason("AtMaximum", "more would be needed", "`maxReplicas` decided", "raise `maxReplicas`"),
    Reason("AtMinimum", "fewer would do", "`minReplicas` decided", "lower `minReplicas`"),
    Reason(
        "LearningCapacity",
        "it is not known yet what a replica carries",
        "no replica was full yet",
        "wait for a busy time, or set `scaling.tokensPerSecond`",
    ),
    Reason(
        "NoTokenCounts",
        "neither the engine nor the answers count tokens",
        "clients do not ask for `usage`, or `engine` is another one",
        "ask clients for `stream_options.include_usage`; check `spec.engine`",
    ),
    Reason(
        "HoldingOnStaleMetrics",
        "metrics are missing or partial: nothing goes down",
        "see `MetricsAvailable`",
        "look at `MetricsAvailable`",
    ),
    Reason(
        "NotAccepted",
        "what is declared cannot be carried out: nothing is scaled",
        "see `Accepted`",
        "look at `Accepted`",
    ),
    Reason("NoWorkload", "there is nothing to scale yet", "see `WorkloadReady`", "look at `WorkloadReady`"),
    Reason(
        "AnotherScaler",
        "we do not scale",
        "an HPA scales this LLMEndpoint while `scaling.mode` is `Direct`",
        "delete it, or `scaling.mode: Off`",
    ),
    Reason(
        "MultipleWriters",
        "we do not scale",
        "an HPA writes the workload itself",
        "point it at the LLMEndpoint",
    ),
    Reason(
        "Refused",
        "the API server refused the new number; the message quotes it",
        "quotas, admission policies",
        "`kubectl get quota -n NS`",
    ),
)

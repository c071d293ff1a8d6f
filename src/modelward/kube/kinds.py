"""The Kubernetes kinds that we read or write: a table, so that a start needs no API discovery."""

from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]
"""One Kubernetes object as plain JSON; what the client or the store hands out is never to be changed in place."""

GROUP = "modelward.dev"


class UnknownKindError(LookupError):
    """The object is of a kind that is not in the table."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind, and where the API server serves it."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """`apps/v1`, or `v1` for the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def root(self) -> str:
        """Path of the group's version, whose GET lists the resources that are served."""
        return f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"

    @property
    def ours(self) -> bool:
        """Whether this is one of the custom resources of Modelward."""
        return self.group == GROUP

    def path(self, namespace: str | None = None, name: str | None = None, subresource: str | None = None) -> str:
        """Path of a collection, an object, or a subresource; namespace None reads a collection in all namespaces."""
        if self.namespaced and name is not None and not namespace:
            raise ValueError(f"{self.kind} {name} needs a namespace")
        place = (f"namespaces/{namespace}",) if self.namespaced and namespace else ()
        return "/".join(part for part in (self.root, *place, self.plural, name, subresource) if part)


LLM_ENDPOINT = Kind(GROUP, "v1alpha1", "llmendpoints", "LLMEndpoint")
MONITORING_POLICY = Kind(GROUP, "v1alpha1", "monitoringpolicies", "MonitoringPolicy")
EVALUATOR = Kind(GROUP, "v1alpha1", "evaluators", "Evaluator")
EVALUATION_RUN = Kind(GROUP, "v1alpha1", "evaluationruns", "EvaluationRun")
ALERT_SILENCE = Kind(GROUP, "v1alpha1", "alertsilences", "AlertSilence")
DEPLOYMENT = Kind("apps", "v1", "deployments", "Deployment")
STATEFUL_SET = Kind("apps", "v1", "statefulsets", "StatefulSet")
REPLICA_SET = Kind("apps", "v1", "replicasets", "ReplicaSet")
POD = Kind("", "v1", "pods", "Pod")
SERVICE = Kind("", "v1", "services", "Service")
CONFIG_MAP = Kind("", "v1", "configmaps", "ConfigMap")
SERVICE_ACCOUNT = Kind("", "v1", "serviceaccounts", "ServiceAccount")
RESOURCE_QUOTA = Kind("", "v1", "resourcequotas", "ResourceQuota")
NAMESPACE = Kind("", "v1", "namespaces", "Namespace", namespaced=False)
EVENT = Kind("events.k8s.io", "v1", "events", "Event")
JOB = Kind("batch", "v1", "jobs", "Job")
ENDPOINT_SLICE = Kind("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice")
HORIZONTAL_POD_AUTOSCALER = Kind("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler")
NETWORK_POLICY = Kind("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy")
LEASE = Kind("coordination.k8s.io", "v1", "leases", "Lease")
CUSTOM_RESOURCE_DEFINITION = Kind(
    "apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", namespaced=False
)
SELF_SUBJECT_ACCESS_REVIEW = Kind(
    "authorization.k8s.io", "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview", namespaced=False
)

PROMETHEUS_RULE = Kind("monitoring.coreos.com", "v1", "prometheusrules", "PrometheusRule")
"""Of the Prometheus operator, where there is one."""

OWN_KINDS = (LLM_ENDPOINT, MONITORING_POLICY, EVALUATOR, EVALUATION_RUN, ALERT_SILENCE)
KINDS = (
    *OWN_KINDS,
    DEPLOYMENT,
    STATEFUL_SET,
    REPLICA_SET,
    POD,
    SERVICE,
    CONFIG_MAP,
    SERVICE_ACCOUNT,
    RESOURCE_QUOTA,
    NAMESPACE,
    EVENT,
    JOB,
    ENDPOINT_SLICE,
    HORIZONTAL_POD_AUTOSCALER,
    NETWORK_POLICY,
    LEASE,
    CUSTOM_RESOURCE_DEFINITION,
    SELF_SUBJECT_ACCESS_REVIEW,
    PROMETHEUS_RULE,
)
_BY_NAME = {(kind.api_version, kind.kind): kind for kind in KINDS}


def register(kind: Kind) -> Kind:
    """Make a kind that an extension brings one that `kind_of` knows; return it."""
    _BY_NAME[kind.api_version, kind.kind] = kind
    return kind


def kind_of(obj: Object) -> Kind:
    """The kind that an object says it is, by apiVersion and kind; UnknownKindError where the table has none."""
    name = (str(obj.get("apiVersion")), str(obj.get("kind")))
    try:
        return _BY_NAME[name]
    except KeyError:
        raise UnknownKindError(f"{name[0]} {name[1]} is not a kind that Modelward handles") from None


def namespace_of(obj: Object) -> str:
    """The namespace of an object, empty for cluster-scoped ones."""
    return str(obj["metadata"].get("namespace") or "")


def name_of(obj: Object) -> str:
    """The name of an object."""
    return str(obj["metadata"]["name"])


def version_of(obj: Object) -> int:
    """The resourceVersion as a number, 0 where there is none.

    Versions of one kind are ordered: documented for clients since Kubernetes 1.35
    (kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions), true of etcd before.
    """
    return int(obj["metadata"].get("resourceVersion") or 0)

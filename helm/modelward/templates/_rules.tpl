{{/* What the operator may do in a namespace that it serves. No Secrets, no wildcard. */}}
{{- define "modelward.rules" -}}
- apiGroups: [modelward.dev]
  resources: [llmendpoints, monitoringpolicies, evaluators]
  verbs: [get, list, watch]
- apiGroups: [modelward.dev]
  resources: [evaluationruns]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [modelward.dev]
  resources: [llmendpoints/status, monitoringpolicies/status, evaluators/status, evaluationruns/status]
  verbs: [patch]
# The scaler writes the endpoint's replicas through the same door as kubectl scale.
- apiGroups: [modelward.dev]
  resources: [llmendpoints/scale]
  verbs: [get, patch, update]
- apiGroups: [apps]
  resources: [deployments, statefulsets]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [apps]
  resources: [deployments/scale, statefulsets/scale]
  verbs: [get, patch, update]
- apiGroups: [""]
  resources: [services, configmaps, serviceaccounts]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [batch]
  resources: [jobs]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch]
# Reads that explain: which revision a pod is of, who else scales.
- apiGroups: [apps]
  resources: [replicasets]
  verbs: [get, list]
- apiGroups: [autoscaling]
  resources: [horizontalpodautoscalers]
  verbs: [list]
# The annotation modelward.dev/allow-raw-payloads.
- apiGroups: [""]
  resources: [namespaces]
  verbs: [get]
- apiGroups: ["", events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end }}

{{- define "modelward.crdRules" -}}
- apiGroups: [apiextensions.k8s.io]
  resources: [customresourcedefinitions]
  resourceNames:
  - llmendpoints.modelward.dev
  - monitoringpolicies.modelward.dev
  - evaluators.modelward.dev
  - evaluationruns.modelward.dev
  verbs: [get]
{{- end }}

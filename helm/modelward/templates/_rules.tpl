{{/* What the operator may do in a namespace that it serves. No Secrets, no wildcard, no exec, and nothing it does not use.
     `create` stands beside `patch` where objects are made by server-side apply. */}}
{{- define "modelward.rules" -}}
- apiGroups: [modelward.dev]
  resources: [llmendpoints]
  verbs: [get, list, watch]
- apiGroups: [modelward.dev]
  resources: [monitoringpolicies, evaluators]
  verbs: [list, watch]
- apiGroups: [modelward.dev]
  resources: [evaluationruns]
  verbs: [list, watch, create, delete]
- apiGroups: [modelward.dev]
  resources: [alertsilences]
  verbs: [list, watch, create]
- apiGroups: [modelward.dev]
  resources:
  - llmendpoints/status
  - monitoringpolicies/status
  - evaluators/status
  - evaluationruns/status
  - alertsilences/status
  verbs: [patch]
# The scaler writes replicas through the same door as kubectl scale.
- apiGroups: [modelward.dev]
  resources: [llmendpoints/scale]
  verbs: [patch]
- apiGroups: [apps]
  resources: [deployments/scale, statefulsets/scale]
  verbs: [patch]
# Models that it runs, gateways, and adopted workloads.
- apiGroups: [apps]
  resources: [deployments]
  verbs: [get, list, watch, create, patch, delete]
# StatefulSets are adopted only, never made.
- apiGroups: [apps]
  resources: [statefulsets]
  verbs: [list, watch, patch]
- apiGroups: [""]
  resources: [services, configmaps]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [batch]
  resources: [jobs]
  verbs: [get, list, watch, create, patch]
# Accounts of gateways, of evaluator Jobs, and for tokens of people who read from the hub; they are bound to no role.
- apiGroups: [""]
  resources: [serviceaccounts]
  verbs: [get, create, patch]
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch]
{{- if .Values.networkPolicy.evaluatorContainers }}
# One for each run with a container of a team's own; it goes with the run.
- apiGroups: [networking.k8s.io]
  resources: [networkpolicies]
  verbs: [get, create, patch]
{{- end }}
{{- if dig "ofPolicies" false .Values.monitoring.prometheusRule }}
# One for each policy with alerts.via: Policy; it goes with the policy.
- apiGroups: [monitoring.coreos.com]
  resources: [prometheusrules]
  verbs: [get, create, patch, delete]
{{- end }}
# Does an autoscaler or a person scale?
- apiGroups: [autoscaling]
  resources: [horizontalpodautoscalers]
  verbs: [list]
# The annotation modelward.dev/allow-raw-payloads.
- apiGroups: [""]
  resources: [namespaces]
  verbs: [get]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end }}

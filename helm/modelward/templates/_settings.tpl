{{/* The operator's settings file, as modelward.operator.runtime.settings reads it. */}}
{{- define "modelward.settings" -}}
namespace: {{ .Release.Namespace }}
watchNamespaces: {{ .Values.watchNamespaces | toJson }}
collectorImage: {{ include "modelward.image" (list . .Values.collectorImage) }}
evaluatorImage: {{ include "modelward.image" (list . .Values.image) }}
hubUrl: {{ if .Values.hub.enabled }}https://modelward-hub.{{ .Release.Namespace }}.svc:8443{{ else }}null{{ end }}
statusInterval: {{ .Values.statusInterval }}
scrapeInterval: {{ .Values.scrapeInterval }}
logFormat: {{ .Values.logFormat }}
logLevel: {{ .Values.logLevel | upper }}
allowedHosts: {{ .Values.egress.allowedHosts | toJson }}
isolateContainers: {{ .Values.networkPolicy.evaluatorContainers }}
readerAccounts: {{ .Values.people.accounts.enabled }}
policyRules: {{ dict "enabled" (dig "ofPolicies" false .Values.monitoring.prometheusRule) "labels" .Values.monitoring.prometheusRule.labels | toJson }}
podSettings: {{ .Values.podSettings | toJson }}
alerts: {{ .Values.alerts | toJson }}
clusterName: {{ .Values.clusterName | quote }}
consoleUrl: {{ .Values.console.url | quote }}
{{- end }}

{{/* The names of the Secrets that the platform's receivers need, as JSON. */}}
{{- define "modelward.alertSecrets" -}}
{{- $names := dict }}
{{- range $receiver := .Values.alerts.receivers }}
{{- range $block := $receiver }}
{{- if kindIs "map" $block }}
{{- range $value := $block }}
{{- if and (kindIs "map" $value) (hasKey $value "secretRef") }}
{{- $_ := set $names $value.secretRef.name true }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- keys $names | sortAlpha | toJson }}
{{- end }}

{{/* How people log in at the hub, as modelward.hub.people.settings reads it. */}}
{{- define "modelward.people" -}}
{{- $people := .Values.people }}
{{- $oidc := dict }}
{{- if $people.oidc.issuer }}
{{- $oidc = omit $people.oidc "caConfigMap" }}
{{- $_ := set $oidc "caFile" (ternary "/etc/modelward/oidc/ca.crt" "" (ne $people.oidc.caConfigMap "")) }}
{{- end }}
{{- $reviews := or (ne $people.oidc.issuer "") $people.reviews.enabled }}
{{- dict "accounts" $people.accounts.enabled "oidc" $oidc "pasted" $people.pasted.enabled "reviews" $reviews "namespaces" .Values.watchNamespaces | toJson }}
{{- end }}

{{/*
All objects of one service: the only template of its chart. What a service does not have renders as nothing.
*/}}
{{- define "wealist.serviceChart" -}}
{{ include "wealist.serviceConfigMap" . }}
---
{{ include "wealist.serviceSecretObject" . }}
---
{{ include "wealist.runtimeFiles" . }}
---
{{ include "wealist.serviceObject" . }}
---
{{ include "wealist.deployment" . }}
---
{{ include "wealist.autoscaler" . }}
---
{{ include "wealist.disruptionBudget" . }}
---
{{ include "wealist.networkPolicies" . }}
{{- end }}

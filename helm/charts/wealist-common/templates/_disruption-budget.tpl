{{/*
How many pods of a service may be taken away at once, where that is limited. One that is not ready may always go: it
would keep its node from ever being drained.
*/}}
{{- define "wealist.disruptionBudget" -}}
{{- $settings := (include "wealist.serviceSettings" . | fromJson).disruptionBudget -}}
{{- if $settings.enabled -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ .Chart.Name }}
  labels: {{- include "wealist.labels" (dict "root" . "name" .Chart.Name) | nindent 4 }}
spec:
  maxUnavailable: {{ $settings.maxUnavailable }}
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels: {{- include "wealist.selector" (dict "root" . "name" .Chart.Name) | nindent 6 }}
{{- end -}}
{{- end }}

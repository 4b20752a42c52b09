{{/*
Requests and limits; without CPU limits where the environment wants none.
  {{ include "wealist.resources" (dict "root" . "resources" $service.resources) | nindent 10 }}
*/}}
{{- define "wealist.resources" -}}
{{- $limits := .resources.limits | default dict -}}
{{- if not .root.Values.cpuLimits -}}
{{- $limits = omit $limits "cpu" -}}
{{- end -}}
resources:
  {{- toYaml (set (deepCopy .resources) "limits" $limits) | nindent 2 }}
{{- end }}

{{/*
The probes of a service, as JSON. A startup probe without an action asks what the liveness probe asks.
  {{- $probes := include "wealist.serviceProbes" $service.probes | fromJson }}
*/}}
{{- define "wealist.serviceProbes" -}}
{{- $probes := deepCopy . -}}
{{- with .startup -}}
{{- if not (include "wealist.probeAction" . | fromJson) -}}
{{- $action := include "wealist.probeAction" ($.liveness | default dict) | fromJson -}}
{{- $_ := set $probes "startup" (ternary (merge (deepCopy .) $action) dict (not (empty $action))) -}}
{{- end -}}
{{- end -}}
{{- toJson $probes -}}
{{- end }}

{{- define "wealist.probeAction" -}}
{{- pick . "httpGet" "exec" "tcpSocket" "grpc" | toJson -}}
{{- end }}

{{/*
The probes of a program beside the services, by one action: each second until it has started, for as long as a slow
machine needs, and then every 5 s.
  {{- include "wealist.programProbes" (dict "httpGet" (dict "path" "/ping" "port" "traefik")) | nindent 10 }}
*/}}
{{- define "wealist.programProbes" -}}
startupProbe: {{- merge (dict "periodSeconds" 1 "timeoutSeconds" 5 "failureThreshold" 900) . | toYaml | nindent 2 }}
readinessProbe: {{- merge (dict "periodSeconds" 5 "timeoutSeconds" 5) . | toYaml | nindent 2 }}
{{- end }}

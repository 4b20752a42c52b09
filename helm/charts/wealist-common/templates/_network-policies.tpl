{{/*
What a service may ask, and who may ask it; everything else is denied by wealist-infrastructure's default-deny.
*/}}
{{- define "wealist.networkPolicies" -}}
{{- if .Values.networkPolicies.enabled -}}
{{- $named := dict "root" . "of" .Chart.Name -}}
{{ include "wealist.networkPolicy" (merge (dict "type" "Egress" "rules" (include "wealist.serviceEgress" .)) $named) }}
---
{{ include "wealist.networkPolicy" (merge (dict "type" "Ingress" "rules" (include "wealist.serviceIngress" .)) $named) }}
{{- end -}}
{{- end }}

{{/*
NetworkPolicy <of>-egress or <of>-ingress for the pods labelled app: <of>. `rules` is the text of a YAML list.
  {{ include "wealist.networkPolicy" (dict "root" . "of" "redis" "type" "Ingress" "rules" $rules) }}
*/}}
{{- define "wealist.networkPolicy" -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ .of }}-{{ lower .type }}
  labels: {{- include "wealist.labels" (dict "root" .root "name" .of) | nindent 4 }}
spec:
  podSelector:
    matchLabels:
      app: {{ .of }}
  policyTypes: [{{ .type }}]
  {{ lower .type }}: {{- .rules | trim | default "[]" | nindent 4 }}
{{- end }}

{{/*
The rules for what a service needs and calls, and for its ports on the internet.
*/}}
{{- define "wealist.serviceEgress" -}}
{{- $service := include "wealist.serviceSettings" . | fromJson -}}
{{- range concat $service.needs $service.calls | uniq }}
{{- with include "wealist.ruleTo" (dict "root" $ "from" $.Chart.Name "to" .) }}
{{ . }}
{{- end }}
{{- end }}
{{- with $service.outside }}
- ports:
  {{- range . }}
  {{- include "wealist.tcpPort" . | nindent 2 }}
  {{- end }}
  to: {{- toYaml $.Values.networkPolicies.outside | nindent 2 }}
{{- end }}
{{- end }}

{{/*
The rules for who needs or calls a service, for the ingress controller where it has a route, and for monitoring.
*/}}
{{- define "wealist.serviceIngress" -}}
{{- $service := include "wealist.serviceSettings" . | fromJson -}}
{{- $policies := .Values.networkPolicies -}}
{{ include "wealist.ruleFromUsers" (dict "root" . "of" .Chart.Name "port" $service.port) }}
{{- if or $service.route $service.paths }}
{{ include "wealist.ruleFromNamespace" (dict "namespace" $policies.ingressNamespace "port" $service.port) }}
{{- end }}
{{- if $service.metrics.enabled }}
{{ include "wealist.ruleFromNamespace" (dict "namespace" $policies.monitoringNamespace "port" $service.port) }}
{{- end }}
{{- end }}

{{/*
The ports of the data stores, as JSON.
*/}}
{{- define "wealist.storePorts" -}}
{"postgres": 5432, "redis": 6379, "s3": 7070}
{{- end }}

{{/*
The rule for what one program asks of another; nothing where that is a LiveKit server and none is named.
  {{ include "wealist.ruleTo" (dict "root" . "from" "auth-service" "to" "redis") }}
*/}}
{{- define "wealist.ruleTo" -}}
{{- $stores := include "wealist.storePorts" . | fromJson -}}
{{- $services := .root.Values.services -}}
{{- $infrastructure := .root.Values.infrastructure -}}
{{- if hasKey $stores .to -}}
{{- $external := (get $infrastructure .to).external -}}
{{- if $external.enabled -}}
{{ include "wealist.ruleToServer" $external }}
{{- else -}}
{{ include "wealist.ruleToPods" (dict "name" .to "port" (get $stores .to)) }}
{{- end -}}
{{- else if eq .to "livekit" -}}
{{- if $infrastructure.livekit.host -}}
{{ include "wealist.ruleToServer" $infrastructure.livekit }}
{{- end -}}
{{- else if hasKey $services .to -}}
{{ include "wealist.ruleToPods" (dict "name" .to "port" (get $services .to).port) }}
{{- else -}}
{{- $known := concat (keys $services | sortAlpha) (keys $stores | sortAlpha) (list "livekit") -}}
{{- fail (printf "services.%s needs or calls %s, which is none of %s" .from .to (join ", " $known)) -}}
{{- end -}}
{{- end }}

{{- define "wealist.ruleToPods" -}}
- ports:
  {{- include "wealist.tcpPort" .port | nindent 2 }}
  to:
  {{- include "wealist.podPeer" .name | nindent 2 }}
{{- end }}

{{/*
A server outside the cluster is at one of its addresses, or at any: a policy cannot select by a host name.
*/}}
{{- define "wealist.ruleToServer" -}}
- ports:
  {{- include "wealist.tcpPort" .port | nindent 2 }}
  {{- with .cidrs }}
  to:
  {{- range . }}
  - ipBlock:
      cidr: {{ toYaml . }}
  {{- end }}
  {{- end }}
{{- end }}

{{/*
The rule that lets in whatever needs or calls something; nothing where nothing does.
  {{ include "wealist.ruleFromUsers" (dict "root" . "of" "redis" "port" 6379) }}
*/}}
{{- define "wealist.ruleFromUsers" -}}
{{- $users := list -}}
{{- range $name, $service := .root.Values.services -}}
{{- if has $.of (concat (dig "needs" list $service) (dig "calls" list $service)) -}}
{{- $users = append $users $name -}}
{{- end -}}
{{- end -}}
{{- with $users -}}
- from:
  {{- range . }}
  {{- include "wealist.podPeer" . | nindent 2 }}
  {{- end }}
  ports:
  {{- include "wealist.tcpPort" $.port | nindent 2 }}
{{- end -}}
{{- end }}

{{/*
The rule that lets a whole namespace in.
  {{ include "wealist.ruleFromNamespace" (dict "namespace" "ingress-nginx" "port" 7070) }}
*/}}
{{- define "wealist.ruleFromNamespace" -}}
- from:
  - namespaceSelector:
      matchLabels:
        kubernetes.io/metadata.name: {{ .namespace }}
  ports:
  {{- include "wealist.tcpPort" .port | nindent 2 }}
{{- end }}

{{- define "wealist.podPeer" -}}
- podSelector:
    matchLabels:
      app: {{ . }}
{{- end }}

{{- define "wealist.tcpPort" -}}
- port: {{ int . }}
  protocol: TCP
{{- end }}

{{/*
What a service may ask, and who may ask it; everything else is denied by wealist-infrastructure's default-deny.
*/}}
{{- define "wealist.networkPolicies" -}}
{{- if .Values.networkPolicies.enabled -}}
{{- $name := .Chart.Name -}}
{{- $service := include "wealist.service" . | fromJson -}}
{{- $egress := list -}}
{{- range concat $service.needs $service.calls | uniq -}}
{{- $egress = concat $egress (include "wealist.rulesTo" (dict "root" $ "from" $name "to" .) | fromJsonArray) -}}
{{- end -}}
{{- with $service.outside -}}
{{- $egress = append $egress (dict "to" $.Values.networkPolicies.outside "ports" (include "wealist.tcpPorts" . | fromJsonArray)) -}}
{{- end -}}
{{- $ports := include "wealist.tcpPorts" (list $service.port) | fromJsonArray -}}
{{- $ingress := include "wealist.rulesFromUsers" (dict "root" . "of" $name "port" $service.port) | fromJsonArray -}}
{{- if or $service.route $service.paths -}}
{{- $ingress = append $ingress (dict
  "from" (list (include "wealist.namespacePeer" .Values.networkPolicies.ingressNamespace | fromJson))
  "ports" $ports
) -}}
{{- end -}}
{{- if $service.metrics.enabled -}}
{{- $ingress = append $ingress (dict
  "from" (list (include "wealist.namespacePeer" .Values.networkPolicies.monitoringNamespace | fromJson))
  "ports" $ports
) -}}
{{- end -}}
{{ include "wealist.networkPolicy" (dict "root" . "of" $name "type" "Egress" "rules" $egress) }}
---
{{ include "wealist.networkPolicy" (dict "root" . "of" $name "type" "Ingress" "rules" $ingress) }}
{{- end -}}
{{- end }}

{{/*
NetworkPolicy <of>-egress or <of>-ingress for the pods labelled app: <of>.
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
  {{ lower .type }}: {{- toYaml .rules | nindent 4 }}
{{- end }}

{{/*
Rules for what one program asks of another, as a JSON list. Where somebody else runs that, it is at one of its
addresses, and no name can be written into a policy.
  {{ include "wealist.rulesTo" (dict "root" . "from" "auth-service" "to" "redis") | fromJsonArray }}
*/}}
{{- define "wealist.rulesTo" -}}
{{- $inside := dict "postgres" 5432 "redis" 6379 "s3" 7070 -}}
{{- $infrastructure := .root.Values.infrastructure -}}
{{- $rules := list -}}
{{- if eq .to "livekit" -}}
{{- if $infrastructure.livekit.host -}}
{{- $rules = list (include "wealist.ruleToOutside" $infrastructure.livekit | fromJson) -}}
{{- end -}}
{{- else if hasKey $inside .to -}}
{{- $external := (get $infrastructure .to).external -}}
{{- if $external.enabled -}}
{{- $rules = list (include "wealist.ruleToOutside" $external | fromJson) -}}
{{- else -}}
{{- $rules = list (include "wealist.ruleToPods" (dict "name" .to "port" (get $inside .to)) | fromJson) -}}
{{- end -}}
{{- else if hasKey .root.Values.services .to -}}
{{- $rules = list (include "wealist.ruleToPods" (dict "name" .to "port" (get .root.Values.services .to).port) | fromJson) -}}
{{- else -}}
{{- $known := concat (keys .root.Values.services | sortAlpha) (keys $inside | sortAlpha) (list "livekit") -}}
{{- fail (printf "services.%s needs or calls %s, which is none of %s" .from .to (join ", " $known)) -}}
{{- end -}}
{{- toJson $rules -}}
{{- end }}

{{- define "wealist.ruleToPods" -}}
{{- dict
  "to" (list (include "wealist.podPeer" .name | fromJson))
  "ports" (include "wealist.tcpPorts" (list .port) | fromJsonArray)
| toJson -}}
{{- end }}

{{- define "wealist.ruleToOutside" -}}
{{- $rule := dict "ports" (include "wealist.tcpPorts" (list .port) | fromJsonArray) -}}
{{- $blocks := list -}}
{{- range .cidrs -}}
{{- $blocks = append $blocks (dict "ipBlock" (dict "cidr" .)) -}}
{{- end -}}
{{- if $blocks -}}
{{- $_ := set $rule "to" $blocks -}}
{{- end -}}
{{- toJson $rule -}}
{{- end }}

{{/*
The rule that lets in whatever needs or calls something, as a JSON list of at most one.
  {{ include "wealist.rulesFromUsers" (dict "root" . "of" "redis" "port" 6379) | fromJsonArray }}
*/}}
{{- define "wealist.rulesFromUsers" -}}
{{- $of := .of -}}
{{- $peers := list -}}
{{- range $name, $service := .root.Values.services -}}
{{- if has $of (concat (dig "needs" list $service) (dig "calls" list $service)) -}}
{{- $peers = append $peers (include "wealist.podPeer" $name | fromJson) -}}
{{- end -}}
{{- end -}}
{{- if $peers -}}
{{- list (dict "from" $peers "ports" (include "wealist.tcpPorts" (list .port) | fromJsonArray)) | toJson -}}
{{- else -}}[]{{- end -}}
{{- end }}

{{- define "wealist.podPeer" -}}
{{- dict "podSelector" (dict "matchLabels" (dict "app" .)) | toJson -}}
{{- end }}

{{- define "wealist.namespacePeer" -}}
{{- dict "namespaceSelector" (dict "matchLabels" (dict "kubernetes.io/metadata.name" .)) | toJson -}}
{{- end }}

{{- define "wealist.tcpPorts" -}}
{{- $ports := list -}}
{{- range . -}}
{{- $ports = append $ports (dict "protocol" "TCP" "port" (int .)) -}}
{{- end -}}
{{- toJson $ports -}}
{{- end }}

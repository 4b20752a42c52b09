{{/*
The further keys of a service's pods, as JSON: podSpec over the nodes that they prefer and what they are spread over.
*/}}
{{- define "wealist.podSpec" -}}
{{- $service := include "wealist.serviceSettings" . | fromJson -}}
{{- $derived := include "wealist.nodePreference" $service.nodeType | fromJson -}}
{{- $constraints := list -}}
{{- range $service.spreadOver -}}
{{- $selector := include "wealist.selector" (dict "root" $ "name" $.Chart.Name) | fromYaml -}}
{{- $constraints = append $constraints (dict
  "topologyKey" .
  "maxSkew" 1
  "whenUnsatisfiable" "ScheduleAnyway"
  "labelSelector" (dict "matchLabels" $selector)
  "matchLabelKeys" (list "pod-template-hash")
) -}}
{{- end -}}
{{- if $constraints -}}
{{- $_ := set $derived "topologySpreadConstraints" $constraints -}}
{{- end -}}
{{- include "wealist.overlay" (list $derived $service.podSpec) -}}
{{- end }}

{{/*
Which nodes pods prefer, by the kind of machine they are: app or db. As JSON; nothing for an empty one. A cluster without
such nodes runs them all the same.
  {{ include "wealist.nodePreference" "db" | fromJson }}
*/}}
{{- define "wealist.nodePreference" -}}
{{- if . -}}
{{- $wanted := dict "key" "wealist.local/node-type" "operator" "In" "values" (list .) -}}
{{- $preference := dict "weight" 100 "preference" (dict "matchExpressions" (list $wanted)) -}}
{{- dict "affinity" (dict
  "nodeAffinity" (dict "preferredDuringSchedulingIgnoredDuringExecution" (list $preference))
) | toJson -}}
{{- else -}}{}{{- end -}}
{{- end }}

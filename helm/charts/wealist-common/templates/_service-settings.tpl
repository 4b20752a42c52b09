{{/*
All settings of this chart's service: serviceDefaults with services.<name> over them, as JSON.
  {{- $service := include "wealist.serviceSettings" . | fromJson }}
*/}}
{{- define "wealist.serviceSettings" -}}
{{- include "wealist.checkServices" . -}}
{{- include "wealist.overlay" (list .Values.serviceDefaults (get .Values.services .Chart.Name)) -}}
{{- end }}

{{/*
Every service has a port, so an entry without one is a name that was mistyped.
*/}}
{{- define "wealist.checkServices" -}}
{{- $known := list -}}
{{- $unknown := list -}}
{{- range $name, $settings := .Values.services -}}
{{- if and (kindIs "map" $settings) (hasKey $settings "port") -}}
{{- $known = append $known $name -}}
{{- else -}}
{{- $unknown = append $unknown $name -}}
{{- end -}}
{{- end -}}
{{- if $unknown -}}
{{- fail (printf "services.%s is no known service and has no port; known are %s" (first $unknown) (join ", " $known)) -}}
{{- end -}}
{{- end }}

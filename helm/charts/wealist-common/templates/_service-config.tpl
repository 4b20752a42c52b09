{{/*
What only this service reads, as JSON: ConfigMap <service>-config.
*/}}
{{- define "wealist.serviceConfig" -}}
{{- $service := include "wealist.serviceSettings" . | fromJson -}}
{{- $port := int $service.port | toString -}}
{{- $derived := dict "PORT" $port "SERVER_PORT" $port -}}
{{- with $service.database -}}
{{- $derived = merge $derived (dict "DB_NAME" .name "DB_USER" .role) -}}
{{- end -}}
{{- include "wealist.overlay" (list $derived $service.config) -}}
{{- end }}

{{- define "wealist.serviceConfigMap" -}}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Chart.Name }}-config
  labels: {{- include "wealist.labels" (dict "root" . "name" .Chart.Name) | nindent 4 }}
data: {{- include "wealist.serviceConfig" . | fromJson | toYaml | nindent 2 }}
{{- end }}

{{/*
ConfigMap <service>-runtime-config: texts that are mounted as single files, such as the frontend's config.js.
*/}}
{{- define "wealist.runtimeFiles" -}}
{{- $service := include "wealist.serviceSettings" . | fromJson -}}
{{- with $service.runtimeFiles -}}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ $.Chart.Name }}-runtime-config
  labels: {{- include "wealist.labels" (dict "root" $ "name" $.Chart.Name) | nindent 4 }}
data:
  {{- range $name, $file := . }}
  {{ $name }}: {{ $file.content | quote }}
  {{- end }}
{{- end -}}
{{- end }}

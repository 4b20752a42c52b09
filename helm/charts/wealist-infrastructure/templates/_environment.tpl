{{/*
One environment variable from wealist-shared-secret.
  {{- include "infrastructure.fromSecret" (dict "name" "PGPASSWORD" "key" "DB_PASSWORD") | nindent 2 }}
*/}}
{{- define "infrastructure.fromSecret" -}}
- name: {{ .name }}
  valueFrom: { secretKeyRef: { name: wealist-shared-secret, key: {{ .key }} } }
{{- end }}

{{/*
One environment variable that has its value here: numbers and all else as text.
*/}}
{{- define "infrastructure.plain" -}}
- name: {{ .name }}
  value: {{ .value | toString | quote }}
{{- end }}

{{/*
A Secret of plain texts.
  {{ include "wealist.secretObject" (dict "root" . "app" "auth-service" "name" "auth-service-secret" "values" $texts) }}
`data` and not `stringData`: a key that is removed from stringData stays in the cluster.
*/}}
{{- define "wealist.secretObject" -}}
apiVersion: v1
kind: Secret
metadata:
  name: {{ .name }}
  labels: {{- include "wealist.labels" (dict "root" .root "name" .app) | nindent 4 }}
type: Opaque
data:
  {{- range $key, $value := .values }}
  {{ $key }}: {{ $value | b64enc | quote }}
  {{- end }}
{{- end }}

{{/*
A text as it stands in the user part of a URL.
*/}}
{{- define "wealist.urlEncode" -}}
{{- . | urlquery | replace "+" "%20" -}}
{{- end }}

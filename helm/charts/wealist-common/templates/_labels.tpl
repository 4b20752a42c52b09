{{/*
Labels of an object that belongs to one program.
  {{ include "wealist.labels" (dict "root" . "name" "auth-service") | nindent 4 }}
NetworkPolicies of the platform select by `app`.
*/}}
{{- define "wealist.labels" -}}
{{ include "wealist.selector" . }}
app: {{ .name }}
app.kubernetes.io/part-of: {{ .root.Values.partOf }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
{{- end }}

{{/*
The labels that selectors use. Selectors are immutable: nothing may be added here that can change.
*/}}
{{- define "wealist.selector" -}}
app.kubernetes.io/name: {{ .name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- end }}

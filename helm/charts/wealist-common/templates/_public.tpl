{{/*
Host and port as a browser writes them: the port only where it is not the scheme's own.
*/}}
{{- define "wealist.publicAuthority" -}}
{{- $secure := eq .Values.public.scheme "https" -}}
{{- $port := int (ternary .Values.public.httpsPort .Values.public.httpPort $secure) -}}
{{- .Values.public.host -}}
{{- if ne $port (ternary 443 80 $secure) }}:{{ $port }}{{ end -}}
{{- end }}

{{/*
The origin of the frontend's page.
*/}}
{{- define "wealist.publicOrigin" -}}
{{ .Values.public.scheme }}://{{ include "wealist.publicAuthority" . }}
{{- end }}

{{/*
S3 has a host of its own: a presigned address covers host and path, so nothing may be stripped from either.
*/}}
{{- define "wealist.s3Host" -}}
s3.{{ .Values.public.host }}
{{- end }}

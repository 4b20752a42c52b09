{{/*
The container's environment. Of two sources with the same key the later one wins.
*/}}
{{- define "wealist.environment" -}}
{{- $service := include "wealist.service" . | fromJson -}}
envFrom:
  - configMapRef:
      name: wealist-shared-config
  - configMapRef:
      name: {{ .Chart.Name }}-config
  - secretRef:
      name: wealist-shared-secret
  {{- if include "wealist.serviceSecret" . | fromJson }}
  - secretRef:
      name: {{ .Chart.Name }}-secret
  {{- end }}
{{- with $service.env }}
env:
  {{- range $name, $variable := . }}
  - name: {{ $name }}
    {{- toYaml $variable | nindent 4 }}
  {{- end }}
{{- end }}
{{- end }}

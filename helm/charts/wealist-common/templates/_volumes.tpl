{{/*
Where the container's volumes and runtime files are mounted.
*/}}
{{- define "wealist.volumeMounts" -}}
{{- $service := include "wealist.serviceSettings" . | fromJson -}}
{{- if or $service.volumes $service.runtimeFiles -}}
volumeMounts:
  {{- range $name, $volume := $service.volumes }}
  - name: {{ $name }}
    {{- toYaml $volume.mount | nindent 4 }}
  {{- end }}
  {{- range $name, $file := $service.runtimeFiles }}
  - name: runtime-config
    mountPath: {{ $file.path }}
    subPath: {{ $name }}
    readOnly: true
  {{- end }}
{{- end }}
{{- end }}

{{- define "wealist.volumes" -}}
{{- $service := include "wealist.serviceSettings" . | fromJson -}}
{{- if or $service.volumes $service.runtimeFiles -}}
volumes:
  {{- range $name, $volume := $service.volumes }}
  - name: {{ $name }}
    {{- toYaml $volume.source | nindent 4 }}
  {{- end }}
  {{- if $service.runtimeFiles }}
  - name: runtime-config
    configMap:
      name: {{ .Chart.Name }}-runtime-config
  {{- end }}
{{- end }}
{{- end }}

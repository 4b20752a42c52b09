{{/*
The Deployment of a service.
*/}}
{{- define "wealist.deployment" -}}
{{- $service := include "wealist.serviceSettings" . | fromJson -}}
{{- $named := dict "root" . "name" .Chart.Name -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Chart.Name }}
  labels: {{- include "wealist.labels" $named | nindent 4 }}
  {{- if and (has "livekit" $service.calls) (not .Values.infrastructure.livekit.host) }}
  annotations:
    # `status` shows it.
    wealist.local/note: "video calls are off: infrastructure.livekit.host names no server"
  {{- end }}
spec:
  {{- if not $service.autoscaling.enabled }}
  replicas: {{ $service.replicas }}
  {{- end }}
  revisionHistoryLimit: 3
  strategy: {{- toYaml $service.strategy | nindent 4 }}
  selector:
    matchLabels: {{- include "wealist.selector" $named | nindent 6 }}
  template:
    metadata:
      labels: {{- include "wealist.labels" $named | nindent 8 }}
      annotations:
        checksum/config: {{ include "wealist.checksum" . }}
        {{- with include "wealist.podAnnotations" $service | fromJson }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    spec:
      automountServiceAccountToken: false
      # Kubernetes would set AUTH_SERVICE_PORT and its like, which services read as their own settings.
      enableServiceLinks: false
      terminationGracePeriodSeconds: {{ $service.terminationGracePeriodSeconds }}
      securityContext: {{- toYaml $service.podSecurityContext | nindent 8 }}
      {{- with include "wealist.podSpec" . | fromJson }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
      containers:
        - name: {{ .Chart.Name }}
          {{- include "wealist.image" $named | nindent 10 }}
          {{- with $service.command }}
          command: {{- toYaml . | nindent 12 }}
          {{- end }}
          {{- with $service.args }}
          args: {{- toYaml . | nindent 12 }}
          {{- end }}
          ports:
            - name: http
              containerPort: {{ $service.port }}
          {{- include "wealist.environment" . | nindent 10 }}
          {{- range $kind, $probe := include "wealist.serviceProbes" $service.probes | fromJson }}
          {{- with $probe }}
          {{ $kind }}Probe: {{- toYaml . | nindent 12 }}
          {{- end }}
          {{- end }}
          {{- with $service.lifecycle }}
          lifecycle: {{- toYaml . | nindent 12 }}
          {{- end }}
          {{- include "wealist.resources" (dict "root" . "resources" $service.resources) | nindent 10 }}
          securityContext: {{- toYaml $service.securityContext | nindent 12 }}
          {{- include "wealist.volumeMounts" . | nindent 10 }}
      {{- include "wealist.volumes" . | nindent 6 }}
{{- end }}


{{/*
The annotations of a service's pods besides the checksum, as JSON: where Prometheus finds their figures, and its own.
*/}}
{{- define "wealist.podAnnotations" -}}
{{- $derived := dict -}}
{{- if .metrics.enabled -}}
{{- $derived = dict
  "prometheus.io/scrape" "true"
  "prometheus.io/port" (int .port | toString)
  "prometheus.io/path" .metrics.path
-}}
{{- end -}}
{{- include "wealist.overlay" (list $derived .podAnnotations) -}}
{{- end }}

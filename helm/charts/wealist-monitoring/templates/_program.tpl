{{/*
One program with its Service: a pod under the restricted Pod Security Standard, with a volume on /data where it keeps
something.
  {{ include "monitoring.program" (dict
    "root" . "name" "loki" "port" 3100 "user" 10001
    "settings" .Values.monitoring.loki
    "account" (name of its ServiceAccount, where it asks the cluster)
    "checksum" (all that it reads from ConfigMaps)
    "container" (what sets its container apart: command, environment, probes, volumeMounts)
    "volumes" (list of its volumes)) }}
*/}}
{{- define "monitoring.program" -}}
{{- $className := .root.Values.monitoring.storage.className -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ .name }}
  labels: {{- include "wealist.labels" . | nindent 4 }}
spec:
  type: ClusterIP
  selector: {{- include "wealist.selector" . | nindent 4 }}
  ports:
    - name: http
      port: {{ .port }}
      targetPort: http
---
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: {{ .name }}
  labels: {{- include "wealist.labels" . | nindent 4 }}
spec:
  serviceName: {{ .name }}
  replicas: 1
  revisionHistoryLimit: 3
  # With OrderedReady a pod that never becomes ready would keep its own correction from being rolled out.
  podManagementPolicy: Parallel
  selector:
    matchLabels: {{- include "wealist.selector" . | nindent 6 }}
  template:
    metadata:
      labels: {{- include "wealist.labels" . | nindent 8 }}
      annotations:
        checksum/config: {{ .checksum | sha256sum }}
        prometheus.io/scrape: "true"
        prometheus.io/path: /metrics
        prometheus.io/port: {{ .port | toString | quote }}
    spec:
      {{- with .account }}
      serviceAccountName: {{ . }}
      {{- end }}
      automountServiceAccountToken: {{ not (empty .account) }}
      enableServiceLinks: false
      terminationGracePeriodSeconds: 30
      securityContext:
        runAsNonRoot: true
        runAsUser: {{ .user }}
        runAsGroup: {{ .user }}
        fsGroup: {{ .user }}
        seccompProfile: { type: RuntimeDefault }
      containers:
        - name: {{ .name }}
          {{- include "wealist.image" . | nindent 10 }}
          {{- .container | nindent 10 }}
            - name: tmp
              mountPath: /tmp
            {{- if .settings.size }}
            - name: data
              mountPath: /data
            {{- end }}
          ports:
            - name: http
              containerPort: {{ .port }}
          {{- include "wealist.resources" (dict "root" .root "resources" .settings.resources) | nindent 10 }}
          securityContext: {{- toYaml .root.Values.serviceDefaults.securityContext | nindent 12 }}
      volumes:
        - name: tmp
          emptyDir: {}
        {{- with .volumes }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
  {{- if .settings.size }}
  volumeClaimTemplates:
    - metadata:
        name: data
      spec:
        accessModes: [ReadWriteOnce]
        {{- with $className }}
        storageClassName: {{ . }}
        {{- end }}
        resources:
          requests:
            storage: {{ .settings.size }}
  {{- end }}
{{- end }}

{{/*
A ConfigMap of files; what names it changes with its content.
  {{ include "monitoring.files" (dict "root" . "name" "loki" "files" (dict "loki.yaml" "…")) }}
*/}}
{{- define "monitoring.files" -}}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .name }}
  labels: {{- include "wealist.labels" . | nindent 4 }}
data:
  {{- range $file, $content := .files }}
  {{ $file }}: |
    {{- $content | nindent 4 }}
  {{- end }}
{{- end }}

{{/*
The address of one of the programs, as a browser has it.
*/}}
{{- define "monitoring.url" -}}
{{ .root.Values.public.scheme }}://{{ .name }}.{{ include "wealist.publicAuthority" .root }}/
{{- end }}

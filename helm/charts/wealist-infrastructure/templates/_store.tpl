{{/*
A program that keeps data: one pod with one volume on /data, and the Service in front of it.
  {{ include "infrastructure.store" (dict
    "root" . "name" "redis" "port" 6379 "user" 999
    "secret" (what of the Secret its environment takes, so that its pod is replaced with it)
    "container" (what sets its container apart: command, environment, probes)) }}
No liveness probe: a restart heals no store that a crash would not restart anyway, and one that is busy with recovery
would never end it.
*/}}
{{- define "infrastructure.store" -}}
{{- $settings := get .root.Values.infrastructure .name -}}
{{- $className := .root.Values.infrastructure.storage.className -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ .name }}
  labels: {{- include "wealist.labels" . | nindent 4 }}
spec:
  type: ClusterIP
  selector: {{- include "wealist.selector" . | nindent 4 }}
  ports:
    - name: {{ .name }}
      port: {{ .port }}
      targetPort: {{ .name }}
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
        {{- /* Whoever may read pods must not be able to try passwords, so a generated secret goes in as well. */}}
        checksum/config: {{ toJson (list .secret (get .root.Values.shared.secrets "JWT_SECRET")) | sha256sum }}
    spec:
      automountServiceAccountToken: false
      enableServiceLinks: false
      terminationGracePeriodSeconds: 30
      securityContext: {{- include "infrastructure.podSecurity" .user | nindent 8 }}
      {{- with include "wealist.nodePreference" .root.Values.infrastructure.nodeType | fromJson }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
      containers:
        - name: {{ .name }}
          {{- include "wealist.image" . | nindent 10 }}
          {{- .container | nindent 10 }}
          ports:
            - name: {{ .name }}
              containerPort: {{ .port }}
          {{- include "wealist.resources" (dict "root" .root "resources" $settings.resources) | nindent 10 }}
          securityContext: {{- toYaml .root.Values.serviceDefaults.securityContext | nindent 12 }}
          volumeMounts:
            - name: data
              mountPath: /data
            - name: tmp
              mountPath: /tmp
      volumes:
        - name: tmp
          emptyDir: {}
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
            storage: {{ $settings.size }}
{{- end }}

{{/*
The probes of a store, each with its own timing: it has started when the action succeeds, and is ready while its port
accepts connections.
*/}}
{{- define "infrastructure.probes" -}}
{{- $connects := dict "tcpSocket" (dict "port" .port) -}}
startupProbe: {{- merge (deepCopy .settings.startupProbe) .action | toYaml | nindent 2 }}
readinessProbe: {{- merge (deepCopy .settings.readinessProbe) $connects | toYaml | nindent 2 }}
{{- end }}

{{/*
The restricted Pod Security Standard for the user that an image's contract names.
*/}}
{{- define "infrastructure.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ . }}
runAsGroup: {{ . }}
fsGroup: {{ . }}
seccompProfile: { type: RuntimeDefault }
{{- end }}

{{/*
Whether this release runs the component itself: "true" or nothing.
*/}}
{{- define "infrastructure.runs" -}}
{{- $settings := get .root.Values.infrastructure .name -}}
{{- if and $settings.enabled (not (dig "external" "enabled" false $settings)) -}}true{{- end -}}
{{- end }}

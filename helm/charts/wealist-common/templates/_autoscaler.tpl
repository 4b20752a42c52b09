{{/*
The HorizontalPodAutoscaler of a service, where it has one.
*/}}
{{- define "wealist.autoscaler" -}}
{{- $settings := (include "wealist.serviceSettings" . | fromJson).autoscaling -}}
{{- if $settings.enabled -}}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {{ .Chart.Name }}
  labels: {{- include "wealist.labels" (dict "root" . "name" .Chart.Name) | nindent 4 }}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {{ .Chart.Name }}
  minReplicas: {{ $settings.minReplicas }}
  maxReplicas: {{ $settings.maxReplicas }}
  metrics:
    - type: Resource
      resource:
        name: cpu
        target:
          type: Utilization
          averageUtilization: {{ $settings.targetCPUUtilizationPercentage }}
  {{- with $settings.behavior }}
  behavior: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}
{{- end }}

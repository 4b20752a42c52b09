{{/*
The Service in front of the pods: the same port inside and outside.
*/}}
{{- define "wealist.serviceObject" -}}
{{- $service := include "wealist.serviceSettings" . | fromJson -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ .Chart.Name }}
  labels: {{- include "wealist.labels" (dict "root" . "name" .Chart.Name) | nindent 4 }}
spec:
  type: ClusterIP
  selector: {{- include "wealist.selector" (dict "root" . "name" .Chart.Name) | nindent 4 }}
  ports:
    - name: http
      port: {{ $service.port }}
      targetPort: http
{{- end }}

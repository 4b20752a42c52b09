{{/*
As the labels of all other objects, but that they are part of Argo CD: it reads only ConfigMaps and Secrets that say so.
*/}}
{{- define "argocd.labels" -}}
{{ include "wealist.labels" . | replace "app.kubernetes.io/part-of: wealist" "app.kubernetes.io/part-of: argocd" }}
{{- end }}

{{/*
The user of Argo CD's own image, under the restricted Pod Security Standard.
*/}}
{{- define "argocd.podSecurity" -}}
runAsNonRoot: true
runAsUser: 999
runAsGroup: 999
fsGroup: 999
seccompProfile: { type: RuntimeDefault }
{{- end }}

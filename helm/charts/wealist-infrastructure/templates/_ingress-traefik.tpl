{{/*
How a group of routes is written for Traefik. The middlewares are those of chart ingress-traefik. Of the routes that
match a request the one with the highest priority wins: by default the longest path, which makes less than 1000.
*/}}
{{- define "infrastructure.ingress.traefik.annotations" -}}
{{- $kind := .group.kind -}}
{{- if eq $kind "strip" -}}
traefik.ingress.kubernetes.io/router.middlewares: strip-service-prefix@file
{{- else if eq $kind "rewrite" -}}
traefik.ingress.kubernetes.io/router.middlewares: rewrite-{{ .group.name }}@file
traefik.ingress.kubernetes.io/router.priority: "1000"
{{- else if eq $kind "closed" -}}
traefik.ingress.kubernetes.io/router.middlewares: closed@file
traefik.ingress.kubernetes.io/router.pathmatcher: PathRegexp
traefik.ingress.kubernetes.io/router.priority: "2000"
{{- else if eq $kind "host" -}}
# Above all others: a bucket may be called svc.
traefik.ingress.kubernetes.io/router.priority: "3000"
{{- end -}}
{{- end }}

{{/*
Traefik routes by the path as it was sent, services by the decoded one: an encoded slash would open what is closed.
*/}}
{{- define "infrastructure.ingress.traefik.path" -}}
{{- if eq .kind "closed" -}}
path: {{ .path | trimPrefix "/" | replace "/" "(/|%2F)+" | print "/" | quote }}
pathType: ImplementationSpecific
{{- else -}}
path: {{ .path }}
pathType: Prefix
{{- end -}}
{{- end }}

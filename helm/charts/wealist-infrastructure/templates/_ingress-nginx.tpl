{{/*
How a group of routes is written for ingress-nginx.
*/}}
{{- define "infrastructure.ingress.nginx.annotations" -}}
{{- $kind := .group.kind -}}
{{- $ingress := .root.Values.ingress -}}
nginx.ingress.kubernetes.io/ssl-redirect: {{ ne $ingress.tlsSecret "" | quote }}
nginx.ingress.kubernetes.io/proxy-http-version: "1.1"
nginx.ingress.kubernetes.io/proxy-buffering: "off"
nginx.ingress.kubernetes.io/proxy-read-timeout: {{ $ingress.timeoutSeconds | toString | quote }}
nginx.ingress.kubernetes.io/proxy-send-timeout: {{ $ingress.timeoutSeconds | toString | quote }}
nginx.ingress.kubernetes.io/proxy-body-size: {{ ternary "0" $ingress.maxBodySize (eq $kind "host") | quote }}
{{- if eq $kind "strip" }}
nginx.ingress.kubernetes.io/use-regex: "true"
nginx.ingress.kubernetes.io/rewrite-target: /$2
{{- else if eq $kind "rewrite" }}
nginx.ingress.kubernetes.io/use-regex: "true"
nginx.ingress.kubernetes.io/rewrite-target: {{ .group.rewrite.to }}/$2
{{- else if eq $kind "closed" }}
nginx.ingress.kubernetes.io/use-regex: "true"
nginx.ingress.kubernetes.io/denylist-source-range: 0.0.0.0/0,::/0
{{- else if eq $kind "host" }}
nginx.ingress.kubernetes.io/proxy-request-buffering: "off"
{{- end -}}
{{- end }}

{{/*
Regular expressions of ingress-nginx ignore case and see the decoded path; the longest is tried first.
*/}}
{{- define "infrastructure.ingress.nginx.path" -}}
{{- if has .kind (list "strip" "rewrite") -}}
path: {{ .path }}(/|$)(.*)
pathType: ImplementationSpecific
{{- else if eq .kind "closed" -}}
path: {{ .path }}
pathType: ImplementationSpecific
{{- else -}}
path: {{ .path }}
pathType: Prefix
{{- end -}}
{{- end }}

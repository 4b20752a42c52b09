{{/*
The reference of an image, and that it is pulled only where it is absent.
  {{ include "wealist.image" (dict "root" . "name" "postgres") | nindent 10 }}
*/}}
{{- define "wealist.image" -}}
{{- $reference := get .root.Values.images .name -}}
{{- $all := .root.Values.serviceImages -}}
{{- if and (not $reference) $all.repository (hasKey .root.Values.services .name) -}}
{{- $reference = printf "%s/%s:%s" $all.repository .name $all.tag -}}
{{- end -}}
{{- if not $reference -}}
{{- fail (printf "images.%s is missing: no values file names this image" .name) -}}
{{- end -}}
image: {{ $reference | quote }}
imagePullPolicy: IfNotPresent
{{- end }}

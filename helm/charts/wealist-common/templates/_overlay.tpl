{{/*
One map over another, key by key, as Helm lays values files over each other: a null removes the key. As JSON.
  {{- $settings := include "wealist.overlay" (list $lower $upper) | fromJson }}
*/}}
{{- define "wealist.overlay" -}}
{{- $result := deepCopy (first .) -}}
{{- range $key, $upper := last . -}}
{{- $lower := get $result $key -}}
{{- if kindIs "invalid" $upper -}}
{{- $result = omit $result $key -}}
{{- else if kindIs "map" $upper -}}
{{- $lower = ternary $lower dict (kindIs "map" $lower) -}}
{{- $_ := set $result $key (include "wealist.overlay" (list $lower $upper) | fromJson) -}}
{{- else -}}
{{- $_ := set $result $key $upper -}}
{{- end -}}
{{- end -}}
{{- toJson $result -}}
{{- end }}

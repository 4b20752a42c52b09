{{/*
Whether wealist-shared-secret is created outside of the charts: "true" or nothing. Given secrets are always rendered.
*/}}
{{- define "wealist.secretExists" -}}
{{- if and .Values.shared.existingSecret (not .Values.shared.secrets) -}}true{{- end -}}
{{- end }}

{{/*
What all services read from Secret wealist-shared-secret, as JSON; nothing where it exists. Fails on what would only be
noticed much later: a missing key, one too short for what it is used for, one that everybody knows. No message holds a
value.
*/}}
{{- define "wealist.sharedSecret" -}}
{{- if include "wealist.secretExists" . -}}{}{{- else -}}
{{- $secrets := .Values.shared.secrets -}}
{{- $required := list
  "DB_PASSWORD" "S3_ACCESS_KEY" "S3_SECRET_KEY" "INTERNAL_API_KEY" "JWT_SECRET" "GOOGLE_CLIENT_ID" "GOOGLE_CLIENT_SECRET"
-}}
{{- if .Values.infrastructure.livekit.host -}}
{{- $required = concat $required (list "LIVEKIT_API_KEY" "LIVEKIT_API_SECRET") -}}
{{- end -}}
{{- range $required -}}
{{- if not (get $secrets .) -}}
{{- fail (printf "shared.secrets.%s is missing: no values file of secrets sets it" .) -}}
{{- end -}}
{{- end -}}
{{- /* HS512 takes no shorter key; LiveKit refuses a shorter secret. */ -}}
{{- range $key, $bytes := dict "JWT_SECRET" 64 "LIVEKIT_API_SECRET" 32 -}}
{{- $length := len (get $secrets $key) -}}
{{- if and $length (lt $length $bytes) -}}
{{- fail (printf "shared.secrets.%s is too short: %d bytes, at least %d" $key $length $bytes) -}}
{{- end -}}
{{- end -}}
{{- /* These are written into a line of configuration or SQL, where a line break would end it. */ -}}
{{- range list "DB_PASSWORD" "REDIS_PASSWORD" -}}
{{- if regexMatch "[[:cntrl:]]" (get $secrets .) -}}
{{- fail (printf "shared.secrets.%s has a control character" .) -}}
{{- end -}}
{{- end -}}
{{- if not .Values.shared.allowPlaceholders -}}
{{- range $key, $value := $secrets -}}
{{- if regexMatch "(?i)placeholder|change[-_ ]?(me|in[-_ ]production)|^(postgres|minioadmin|devkey|devsecret|password|secret)$" $value -}}
{{- fail (printf "shared.secrets.%s is a placeholder that everybody knows, and shared.allowPlaceholders is false" $key) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $copies := dict
  "REDIS_PASSWORD" (get $secrets "REDIS_PASSWORD")
  "SPRING_REDIS_PASSWORD" (get $secrets "REDIS_PASSWORD")
  "SECRET_KEY" (get $secrets "JWT_SECRET")
  "GOOGLE_SECRET" (get $secrets "GOOGLE_CLIENT_SECRET")
-}}
{{- include "wealist.overlay" (list $copies $secrets) -}}
{{- end -}}
{{- end }}

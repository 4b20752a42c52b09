{{/*
What only this service reads and nobody else should, as JSON: Secret <service>-secret. Addresses with a password in
them are made here, so that they follow the password.
*/}}
{{- define "wealist.serviceSecret" -}}
{{- $service := include "wealist.service" . | fromJson -}}
{{- $config := include "wealist.sharedConfig" . | fromJson -}}
{{- $secrets := include "wealist.sharedSecret" . | fromJson -}}
{{- $derived := dict -}}
{{- with $service.database -}}
{{- $login := printf "%s:%s" .role (include "wealist.urlEncode" $secrets.DB_PASSWORD) -}}
{{- $url := printf "postgresql://%s@%s:%s/%s?sslmode=%s" $login $config.DB_HOST $config.DB_PORT .name $config.DB_SSLMODE -}}
{{- $_ := set $derived "DATABASE_URL" $url -}}
{{- end -}}
{{- if hasKey $service "redisIndex" -}}
{{- $login := ternary (printf ":%s@" (include "wealist.urlEncode" $secrets.REDIS_PASSWORD)) "" (ne $secrets.REDIS_PASSWORD "") -}}
{{- $url := printf "redis://%s%s:%s/%d" $login $config.REDIS_HOST $config.REDIS_PORT (int $service.redisIndex) -}}
{{- $_ := set $derived "REDIS_URL" $url -}}
{{- end -}}
{{- include "wealist.overlay" (list $derived $service.secrets) -}}
{{- end }}

{{- define "wealist.serviceSecretObject" -}}
{{- with include "wealist.serviceSecret" . | fromJson -}}
{{- include "wealist.secretObject" (dict "root" $ "app" $.Chart.Name "name" (printf "%s-secret" $.Chart.Name) "values" .) -}}
{{- end -}}
{{- end }}

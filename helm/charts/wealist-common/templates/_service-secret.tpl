{{/*
Values that only this service may read, as JSON: Secret <service>-secret. Addresses with a password in
them are made here, so that they follow the password.
*/}}
{{- define "wealist.serviceSecret" -}}
{{- $service := include "wealist.serviceSettings" . | fromJson -}}
{{- $derived := dict -}}
{{- if not (include "wealist.secretExists" .) -}}
{{- $secrets := include "wealist.sharedSecret" . | fromJson -}}
{{- $database := include "wealist.urlEncode" $secrets.DB_PASSWORD -}}
{{- $redis := ternary (printf ":%s@" (include "wealist.urlEncode" $secrets.REDIS_PASSWORD)) "" (ne $secrets.REDIS_PASSWORD "") -}}
{{- $derived = include "wealist.addresses" (dict "root" . "databasePassword" $database "redisLogin" $redis) | fromJson -}}
{{- end -}}
{{- include "wealist.overlay" (list $derived $service.secrets) -}}
{{- end }}

{{/*
The addresses that hold a password, as JSON.
  {{ include "wealist.addresses" (dict "root" . "databasePassword" $encoded "redisLogin" ":…@") }}
*/}}
{{- define "wealist.addresses" -}}
{{- $service := include "wealist.serviceSettings" .root | fromJson -}}
{{- $config := include "wealist.sharedConfig" .root | fromJson -}}
{{- $password := .databasePassword -}}
{{- $addresses := dict -}}
{{- with $service.database -}}
{{- $server := printf "%s:%s@%s:%s" .role $password $config.DB_HOST $config.DB_PORT -}}
{{- $_ := set $addresses "DATABASE_URL" (printf "postgresql://%s/%s?sslmode=%s" $server .name $config.DB_SSLMODE) -}}
{{- end -}}
{{- if hasKey $service "redisIndex" -}}
{{- $server := printf "%s%s:%s" .redisLogin $config.REDIS_HOST $config.REDIS_PORT -}}
{{- $_ := set $addresses "REDIS_URL" (printf "redis://%s/%d" $server (int $service.redisIndex)) -}}
{{- end -}}
{{- toJson $addresses -}}
{{- end }}

{{- define "wealist.serviceSecretObject" -}}
{{- with include "wealist.serviceSecret" . | fromJson -}}
{{- include "wealist.secretObject" (dict "root" $ "app" $.Chart.Name "name" (printf "%s-secret" $.Chart.Name) "values" .) -}}
{{- end -}}
{{- end }}

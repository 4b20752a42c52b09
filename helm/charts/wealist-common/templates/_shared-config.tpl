{{/*
What all services read from ConfigMap wealist-shared-config, as JSON. Each service computes it too, for its checksum.
*/}}
{{- define "wealist.sharedConfig" -}}
{{- $postgres := .Values.infrastructure.postgres.external -}}
{{- $redis := .Values.infrastructure.redis.external -}}
{{- $s3 := .Values.infrastructure.s3.external -}}
{{- $livekit := .Values.infrastructure.livekit -}}
{{- $origin := include "wealist.publicOrigin" . -}}
{{- $derived := dict
  "DB_HOST" (ternary $postgres.host "postgres" $postgres.enabled)
  "DB_PORT" (ternary (int $postgres.port) 5432 $postgres.enabled | toString)
  "REDIS_HOST" (ternary $redis.host "redis" $redis.enabled)
  "REDIS_PORT" (ternary (int $redis.port) 6379 $redis.enabled | toString)
  "S3_ENDPOINT" "http://s3:7070"
  "S3_PUBLIC_ENDPOINT" (printf "%s://s3.%s" .Values.public.scheme (include "wealist.publicAuthority" .))
  "LIVEKIT_URL" ""
  "LIVEKIT_WS_URL" ""
  "OAUTH2_CLIENT_REDIRECT_URI" (printf "%s/oauth2/callback/google" $origin)
  "OAUTH2_REDIRECT_URL_ENV" (printf "%s/oauth/callback" $origin)
-}}
{{- if $s3.enabled -}}
{{- $port := ternary "" (printf ":%d" (int $s3.port)) (eq (int $s3.port) 443) -}}
{{- $address := printf "https://%s%s" $s3.host $port -}}
{{- $derived = merge (dict "S3_ENDPOINT" $address "S3_PUBLIC_ENDPOINT" $address) $derived -}}
{{- end -}}
{{- if $livekit.host -}}
{{- $derived = merge (dict
  "LIVEKIT_URL" (printf "http://%s:%d" $livekit.host (int $livekit.port))
  "LIVEKIT_WS_URL" (printf "ws%s/svc/livekit" (trimPrefix "http" $origin))
) $derived -}}
{{- end -}}
{{- range $name, $service := .Values.services -}}
{{- if $service.route -}}
{{- $key := printf "%s_URL" ($name | upper | replace "-" "_") -}}
{{- $_ := set $derived $key (printf "http://%s:%d" $name (int $service.port)) -}}
{{- end -}}
{{- end -}}
{{- $config := include "wealist.overlay" (list $derived .Values.shared.config) | fromJson -}}
{{- /* One thing, two names: some services know it by the one, some by the other. */ -}}
{{- $spellings := dict
  "POSTGRES_HOST" "DB_HOST"
  "POSTGRES_PORT" "DB_PORT"
  "SPRING_REDIS_HOST" "REDIS_HOST"
  "SPRING_REDIS_PORT" "REDIS_PORT"
  "LIVEKIT_HOST" "LIVEKIT_URL"
-}}
{{- range $other, $key := $spellings -}}
{{- if and (hasKey $config $key) (not (hasKey $config $other)) -}}
{{- $_ := set $config $other (get $config $key) -}}
{{- end -}}
{{- end -}}
{{- toJson $config -}}
{{- end }}

{{/*
The container's environment. Of two sources with the same key the later one wins.
*/}}
{{- define "wealist.environment" -}}
{{- $service := include "wealist.serviceSettings" . | fromJson -}}
envFrom:
  - configMapRef:
      name: wealist-shared-config
  - configMapRef:
      name: {{ .Chart.Name }}-config
  - secretRef:
      name: wealist-shared-secret
  {{- if include "wealist.serviceSecret" . | fromJson }}
  - secretRef:
      name: {{ .Chart.Name }}-secret
  {{- end }}
{{- with include "wealist.overlay" (list (include "wealist.existingSecretEnv" . | fromJson) $service.env) | fromJson }}
env:
  {{- range $name, $variable := . }}
  - name: {{ $name }}
    {{- toYaml $variable | nindent 4 }}
  {{- end }}
{{- end }}
{{- end }}


{{/*
Variables derived from an existing wealist-shared-secret, as JSON: its second spellings, and the addresses with
a password in them, which the kubelet fills in. There the password stands as it is: it must need no encoding in a URL.
*/}}
{{- define "wealist.existingSecretEnv" -}}
{{- $service := include "wealist.serviceSettings" . | fromJson -}}
{{- $variables := dict -}}
{{- if include "wealist.secretExists" . -}}
{{- range $name, $key := dict
  "SECRET_KEY" "JWT_SECRET"
  "SPRING_REDIS_PASSWORD" "REDIS_PASSWORD"
  "GOOGLE_SECRET" "GOOGLE_CLIENT_SECRET"
-}}
{{- $reference := dict "secretKeyRef" (dict "name" "wealist-shared-secret" "key" $key) -}}
{{- $_ := set $variables $name (dict "valueFrom" $reference) -}}
{{- end -}}
{{- $addresses := include "wealist.addresses" (dict
  "root" .
  "databasePassword" "$(DB_PASSWORD)"
  "redisLogin" ":$(REDIS_PASSWORD)@"
) | fromJson -}}
{{- range $name, $address := $addresses -}}
{{- if not (hasKey $service.secrets $name) -}}
{{- $_ := set $variables $name (dict "value" $address) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toJson $variables -}}
{{- end }}

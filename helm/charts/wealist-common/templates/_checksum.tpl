{{/*
Changes with whatever the service's pods take from ConfigMaps and Secrets, so that they are replaced when it does.
*/}}
{{- define "wealist.checksum" -}}
{{- $service := include "wealist.serviceSettings" . | fromJson -}}
{{- list
  (include "wealist.sharedConfig" .)
  (include "wealist.sharedSecret" .)
  (include "wealist.serviceConfig" .)
  (include "wealist.serviceSecret" .)
  (toJson $service.runtimeFiles)
  | join "\n" | sha256sum -}}
{{- end }}

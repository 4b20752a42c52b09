{{/*
Every public route of the services that are deployed, in groups that a controller treats alike, as JSON:
  {"groups": [{"name", "kind", "host"?, "rewrite"?: {"from", "to"}, "paths": [{"path", "service", "port"}]}]}
Kinds: strip (the path is taken away), keep (the service sees the path as it is), rewrite (`from` becomes `to`),
closed (no access), host (all paths of a separate host). The routes are the same for every controller; each renders them in its own format.
*/}}
{{- define "wealist.routes" -}}
{{- include "wealist.checkServices" . -}}
{{- $stripped := list -}}
{{- $kept := list -}}
{{- $closed := list -}}
{{- $groups := list -}}
{{- range $name, $service := .Values.services -}}
{{- $target := dict "service" $name "port" $service.port -}}
{{- if dig "enabled" true $service -}}
{{- range $service.paths -}}
{{- $kept = append $kept (merge (dict "path" .) $target) -}}
{{- end -}}
{{- with $service.route -}}
{{- $prefix := printf "/svc/%s" . -}}
{{- $stripped = append $stripped (merge (dict "path" $prefix) $target) -}}
{{- range $.Values.ingress.closed -}}
{{- $closed = append $closed (merge (dict "path" (print $prefix .)) $target) -}}
{{- end -}}
{{- range $rewrite := (include "wealist.rewrites" (dict "name" $name "service" $service) | fromJson).rewrites -}}
{{- $groups = append $groups (dict
  "name" $rewrite.name
  "kind" "rewrite"
  "rewrite" $rewrite
  "paths" (list (merge (dict "path" $rewrite.from) $target))
) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if .Values.infrastructure.livekit.host -}}
{{- $port := .Values.infrastructure.livekit.port -}}
{{- $stripped = append $stripped (dict "path" "/svc/livekit" "service" "livekit" "port" $port) -}}
{{- end -}}
{{- if $stripped -}}
{{- $groups = append $groups (dict "name" "services" "kind" "strip" "paths" $stripped) -}}
{{- end -}}
{{- if $kept -}}
{{- $groups = append $groups (dict "name" "pages" "kind" "keep" "paths" $kept) -}}
{{- end -}}
{{- if $closed -}}
{{- $groups = append $groups (dict "name" "closed" "kind" "closed" "paths" $closed) -}}
{{- end -}}
{{- if not .Values.ingress.anyHost -}}
{{- range $groups -}}
{{- $_ := set . "host" $.Values.public.host -}}
{{- end -}}
{{- end -}}
{{- if and .Values.infrastructure.s3.enabled (not .Values.infrastructure.s3.external.enabled) -}}
{{- $groups = append $groups (dict
  "name" "s3"
  "kind" "host"
  "host" (include "wealist.s3Host" .)
  "paths" (list (dict "path" "/" "service" "s3" "port" 7070))
) -}}
{{- end -}}
{{- dict "groups" $groups | toJson -}}
{{- end }}

{{/*
The paths of one service that it sees as something else, as JSON: {"rewrites": [{"name", "from", "to"}]}
*/}}
{{- define "wealist.rewrites" -}}
{{- $rewrites := list -}}
{{- $service := .service -}}
{{- $name := .name -}}
{{- range $title, $rewrite := $service.rewrites -}}
{{- $rewrites = append $rewrites (dict
  "name" (printf "%s-%s" $name $title)
  "from" (printf "/svc/%s%s" $service.route $rewrite.from)
  "to" $rewrite.to
) -}}
{{- end -}}
{{- dict "rewrites" $rewrites | toJson -}}
{{- end }}

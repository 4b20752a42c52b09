{{/*
Recording rules, named level:metric:operation, and the alerts over them. Requests are those that somebody asked for:
probes, scrapes and streams, which last as long as a page is open, say nothing of errors and speed. Metrics of Spring
Boot have names of their own.
*/}}
{{- define "monitoring.prometheus.rules" -}}
{{- $rules := .Values.monitoring.rules -}}
{{- $window := $rules.window -}}
{{- $asked := "job=\"services\", route!~\"/health.*|/metrics|.*stream\"" -}}
{{- $spring := "job=\"services\", uri!~\"/actuator.*\"" -}}
groups:
  - name: requests
    rules:
      - record: service:http_requests:rate
        expr: |-
          sum by (namespace, service) (
            rate(http_requests_total{ {{- $asked }}}[{{ $window }}])
            or rate(http_server_requests_seconds_count{ {{- $spring }}}[{{ $window }}])
          )
      - record: service:http_errors:ratio
        expr: |-
          sum by (namespace, service) (
            rate(http_requests_total{ {{- $asked }}, status=~"5.."}[{{ $window }}])
            or rate(http_server_requests_seconds_count{ {{- $spring }}, status=~"5.."}[{{ $window }}])
          ) / (service:http_requests:rate > 0)
      - record: service:http_duration_seconds:p95
        expr: |-
          histogram_quantile(0.95, sum by (namespace, service, le) (
            rate(http_request_duration_seconds_bucket{ {{- $asked }}}[{{ $window }}])
            or rate(http_server_requests_seconds_bucket{ {{- $spring }}}[{{ $window }}])
          )) > 0
  - name: containers
    rules:
      - record: container:memory:ratio
        expr: |-
          max by (namespace, pod, container) (container_memory_working_set_bytes)
          / (max by (namespace, pod, container) (container_spec_memory_limit_bytes) > 0)
      - record: container:cpu:rate
        expr: sum by (namespace, pod, container) (rate(container_cpu_usage_seconds_total[{{ $window }}]))
  - name: alerts
    rules:
      # One for each service: of what does not run there is no series left that could be compared.
      {{- range $name := .Values.monitoring.expected }}
      - alert: ServiceDown
        expr: absent(up{job="services", service={{ $name | quote }}} == 1)
        for: {{ $rules.down.for }}
        labels: { severity: critical, service: {{ $name | quote }} }
        annotations:
          summary: {{ printf "%s does not answer" $name }}
          next: npm run status
      {{- end }}
      - alert: ErrorRate
        expr: service:http_errors:ratio > {{ $rules.errors.ratio }}
        for: {{ $rules.errors.for }}
        labels: { severity: warning }
        annotations:
          summary: '{{ "{{ $labels.service }}" }} answers {{ "{{ $value | humanizePercentage }}" }} of its requests with an error'
          next: npm run logs -- {{ "{{ $labels.service }}" }} --level error
      - alert: Slow
        expr: service:http_duration_seconds:p95 > {{ $rules.slow.seconds }}
        for: {{ $rules.slow.for }}
        labels: { severity: warning }
        annotations:
          summary: 'one request in twenty to {{ "{{ $labels.service }}" }} takes longer than {{ "{{ $value | humanizeDuration }}" }}'
          next: npm run logs -- {{ "{{ $labels.service }}" }}
      - alert: Memory
        expr: container:memory:ratio > {{ $rules.memory.ratio }}
        for: {{ $rules.memory.for }}
        labels: { severity: warning }
        annotations:
          summary: '{{ "{{ $labels.container }}" }} uses {{ "{{ $value | humanizePercentage }}" }} of its memory'
          next: npm run status
{{- end }}

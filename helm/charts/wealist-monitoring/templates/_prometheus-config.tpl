{{- define "monitoring.prometheus.config" -}}
{{- $settings := .Values.monitoring -}}
global:
  scrape_interval: {{ $settings.prometheus.scrapeInterval }}
  scrape_timeout: {{ $settings.prometheus.scrapeInterval }}
  evaluation_interval: {{ $settings.prometheus.scrapeInterval }}
rule_files: [/etc/prometheus/rules.yaml]
scrape_configs:
  {{- include "monitoring.prometheus.pods" (dict "job" "services" "namespaces" $settings.namespaces) | nindent 2 }}
  {{- include "monitoring.prometheus.pods" (dict "job" "monitoring" "namespaces" (list .Release.Namespace)) | nindent 2 }}
  # What each container takes, from the kubelets.
  - job_name: containers
    scheme: https
    metrics_path: /metrics/cadvisor
    authorization: { credentials_file: /var/run/secrets/kubernetes.io/serviceaccount/token }
    # A kubelet signs its certificate itself.
    tls_config: { insecure_skip_verify: true }
    kubernetes_sd_configs: [{ role: node }]
    relabel_configs:
      - source_labels: [__meta_kubernetes_node_name]
        target_label: node
    metric_relabel_configs:
      - source_labels: [__name__]
        regex: container_(cpu_usage_seconds_total|memory_working_set_bytes|spec_memory_limit_bytes)
        action: keep
      # The sums over pods and slices of the system have no container.
      - source_labels: [container]
        regex: .+
        action: keep
      - source_labels: [namespace]
        regex: {{ concat $settings.namespaces (list .Release.Namespace) | join "|" | quote }}
        action: keep
      - regex: id|image|name
        action: labeldrop
{{- end }}

{{/*
Every pod of some namespaces that asks for it by its annotations prometheus.io/scrape, /path and /port.
*/}}
{{- define "monitoring.prometheus.pods" -}}
- job_name: {{ .job }}
  kubernetes_sd_configs:
    - role: pod
      namespaces: { names: {{ toJson .namespaces }} }
  relabel_configs:
    - source_labels: [__meta_kubernetes_pod_annotation_prometheus_io_scrape]
      regex: "true"
      action: keep
    # A pod that has ended, as one of a Job, answers nobody.
    - source_labels: [__meta_kubernetes_pod_phase]
      regex: Succeeded|Failed
      action: drop
    - source_labels: [__meta_kubernetes_pod_annotation_prometheus_io_path]
      regex: (.+)
      target_label: __metrics_path__
    - source_labels: [__meta_kubernetes_pod_ip, __meta_kubernetes_pod_annotation_prometheus_io_port]
      regex: ([^;]+);(\d+)
      replacement: $1:$2
      target_label: __address__
    - source_labels: [__meta_kubernetes_namespace]
      target_label: namespace
    - source_labels: [__meta_kubernetes_pod_name]
      target_label: pod
    - source_labels: [__meta_kubernetes_pod_label_app_kubernetes_io_name]
      target_label: service
{{- end }}

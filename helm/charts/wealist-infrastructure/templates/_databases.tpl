{{/*
The script that makes every service's database and role, as often as it runs and however many run at once.
*/}}
{{- define "infrastructure.databases" -}}
-- The password never stands in a script: psql reads it from its environment.
\getenv password PGPASSWORD
\o /dev/null
-- Of several runs only one works at a time; the lock ends with the connection.
SELECT pg_advisory_lock(7341);
{{- range $name, $service := .Values.services }}
{{- with $service.database }}

-- {{ $name }}
SELECT format('CREATE ROLE %I LOGIN', '{{ .role }}')
  WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{{ .role }}') \gexec
SELECT format('ALTER ROLE %I LOGIN PASSWORD %L', '{{ .role }}', :'password') \gexec
-- Who is no superuser may give a database only to a role that he belongs to.
SELECT format('GRANT %I TO CURRENT_USER', '{{ .role }}')
  WHERE NOT pg_has_role(CURRENT_USER, '{{ .role }}', 'MEMBER') \gexec
SELECT format('CREATE DATABASE %I OWNER %I', '{{ .name }}', '{{ .role }}')
  WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{{ .name }}') \gexec
REVOKE CONNECT ON DATABASE "{{ .name }}" FROM PUBLIC;
{{- end }}
{{- end }}
{{- range $name, $service := .Values.services }}
{{- with $service.database }}

-- Some services log in as the superuser: what it makes is the role's too.
\connect "{{ .name }}"
SELECT pg_advisory_lock(7341);
GRANT ALL ON SCHEMA public TO "{{ .role }}";
GRANT ALL ON ALL TABLES IN SCHEMA public TO "{{ .role }}";
GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO "{{ .role }}";
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON TABLES TO "{{ .role }}";
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON SEQUENCES TO "{{ .role }}";
{{- end }}
{{- end }}
{{- end }}

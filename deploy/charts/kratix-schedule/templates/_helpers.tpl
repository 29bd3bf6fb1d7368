{{- define "kratix-schedule.metadata" -}}
name: {{ .Release.Name }}
namespace: {{ .Release.Namespace }}
labels:
  app.kubernetes.io/name: kratix-schedule
{{- end }}

{{/* The names of the shards, as a JSON list; without shards it is one empty name. */}}
{{- define "kratix-schedule.shards" -}}
{{- if .Values.shards -}}
{{- prepend .Values.shards "default" | toJson -}}
{{- else -}}
[""]
{{- end -}}
{{- end }}

{{/* The name of what a shard has of its own, of a list of the release's name and the shard's. */}}
{{- define "kratix-schedule.shardName" -}}
{{- compact . | join "-" -}}
{{- end }}

{{/* The labels by which the Pods of a shard are found. */}}
{{- define "kratix-schedule.shardLabels" -}}
app.kubernetes.io/name: kratix-schedule
{{- with . }}
kratix-schedule.io/shard: {{ . | quote }}
{{- end }}
{{- end }}

{{- define "kratix-schedule.subject" -}}
- kind: ServiceAccount
  name: {{ .Release.Name }}
  namespace: {{ .Release.Namespace }}
{{- end }}

{{- define "kratix-schedule.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}
{{- end -}}
{{- end -}}
{{- end }}

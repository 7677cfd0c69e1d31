{{- define "labels" -}}
app.kubernetes.io/name: integra-exporter
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "selector" -}}
app.kubernetes.io/name: integra-exporter
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "name" -}}
{{- if contains "integra-exporter" .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}{{ printf "%s-integra-exporter" (.Release.Name | trunc 33 | trimSuffix "-") }}
{{- end }}
{{- end }}

{{- define "image" -}}
{{ .Values.image.repository }}
{{- if .Values.image.digest }}@{{ .Values.image.digest }}{{ else }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}

{{- define "gvDetails" -}}
`apiVersion: {{ .GroupVersionString }}`. `kubectl explain` shows the same texts.

Kinds:
{{- range .SortedKinds }} {{ $.TypeForKind . | markdownRenderTypeLink }}{{ end }}
{{ range .SortedTypes }}{{ template "type" . }}{{ end }}
{{- end -}}

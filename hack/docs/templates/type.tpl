{{- define "type" -}}
{{- if markdownShouldRenderType . }}
## {{ .Name }}
{{ if .IsAlias }}
A {{ markdownRenderTypeLink .UnderlyingType }}.
{{ end }}
{{ .Doc }}
{{ if .References }}
Used in:
{{- range .SortedReferences }} {{ markdownRenderTypeLink . }}{{ end }}
{{ end }}
{{- range .Validation }}
- {{ . }}
{{- end }}
{{ if .Members }}
| field | meaning | default | bounds |
|---|---|---|---|
{{ range .Members -}}
| `{{ .Name }}` {{ markdownRenderType .Type }} | {{ template "type_members" . }} | {{ markdownRenderDefault .Default }} | {{ range .Validation }}{{ if ne . "Optional: {}" }}{{ markdownRenderFieldDoc . }}<br />{{ end }}{{ end }} |
{{ end }}
{{- end }}
{{- if .EnumValues }}
| value | meaning |
|---|---|
{{ range .EnumValues -}}
| `{{ .Name }}` | {{ markdownRenderFieldDoc .Doc }} |
{{ end }}
{{- end }}
{{- end }}
{{- end -}}

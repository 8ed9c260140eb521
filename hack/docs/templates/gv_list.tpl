{{- define "gvList" -}}
<!-- Written by `make docs` from the Go types in api/v1alpha1; edit their comments instead. -->

# API reference

{{ range . }}{{ template "gvDetails" . }}{{ end }}
{{- end -}}

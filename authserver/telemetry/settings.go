// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Variables that are read here. All others of the OTLP exporters (headers, certificates, timeouts, compression) and of the
// batch processor are read by the SDK.
const (
	variableDisabled       = "OTEL_SDK_DISABLED"
	variableExporter       = "OTEL_TRACES_EXPORTER"
	variableProtocol       = "OTEL_EXPORTER_OTLP_PROTOCOL"
	variableTracesProtocol = "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"
	variableEndpoint       = "OTEL_EXPORTER_OTLP_ENDPOINT"
	variableTracesEndpoint = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
	variableSampler        = "OTEL_TRACES_SAMPLER"
	variableSamplerArg     = "OTEL_TRACES_SAMPLER_ARG"
	variableResource       = "OTEL_RESOURCE_ATTRIBUTES"
)

// checks are of variables that the SDK reads. It fails on some of their mistakes, and is silent about others.
var checks = []struct {
	variable string
	check    func(value string) error
}{
	{variableEndpoint, checkEndpoint},
	{variableTracesEndpoint, checkEndpoint},
	{variableResource, checkPairs},
	{"OTEL_EXPORTER_OTLP_HEADERS", checkPairs},
	{"OTEL_EXPORTER_OTLP_TRACES_HEADERS", checkPairs},
	{"OTEL_EXPORTER_OTLP_CERTIFICATE", checkFile},
	{"OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", checkFile},
	{"OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", checkFile},
	{"OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE", checkFile},
	{"OTEL_EXPORTER_OTLP_CLIENT_KEY", checkFile},
	{"OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY", checkFile},
	{"OTEL_EXPORTER_OTLP_TIMEOUT", checkNumber},
	{"OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", checkNumber},
	{"OTEL_BSP_SCHEDULE_DELAY", checkNumber},
	{"OTEL_BSP_EXPORT_TIMEOUT", checkNumber},
	{"OTEL_BSP_MAX_QUEUE_SIZE", checkNumber},
	{"OTEL_BSP_MAX_EXPORT_BATCH_SIZE", checkNumber},
}

// Values of variableExporter and variableProtocol.
const (
	exporterNone    = "none"
	exporterOTLP    = "otlp"
	exporterConsole = "console"
	protocolGRPC    = "grpc"
	protocolHTTP    = "http/protobuf"
)

// samplers are those of the specification that the SDK has. The ones with a ratio take it from variableSamplerArg.
var samplers = []string{"always_on", "always_off", "traceidratio", "parentbased_always_on", "parentbased_always_off", "parentbased_traceidratio"}

const defaultSampler = "parentbased_always_on"

// settings are what the environment asks for.
type settings struct {
	exporters []string // none of them is "none"; empty is off
	protocol  string
	sampler   string
}

// problem is a variable that cannot be used.
type problem struct {
	variable string
	err      error
}

// read reads the environment.
func read(getenv func(string) string) (s settings, problems []problem) {
	bad := func(variable string, err error) {
		if err != nil {
			problems = append(problems, problem{variable, err})
		}
	}
	if value := getenv(variableDisabled); strings.EqualFold(value, "true") {
		return s, nil
	} else if value != "" && !strings.EqualFold(value, "false") {
		bad(variableDisabled, errors.New("want true or false"))
	}
	s.exporters = readExporters(getenv, bad)
	if len(s.exporters) == 0 {
		return s, problems
	}
	s.protocol = readProtocol(getenv, bad)
	s.sampler = readSampler(getenv, bad)
	for _, c := range checks {
		value := getenv(c.variable)
		if value == "" {
			continue
		}
		err := c.check(value)
		if err != nil && (c.variable == variableEndpoint || c.variable == variableTracesEndpoint) {
			s.exporters = slices.DeleteFunc(s.exporters, func(name string) bool { return name == exporterOTLP }) // rather than to the default address
		}
		bad(c.variable, err)
	}
	return s, problems
}

// readExporters returns what spans go to. Without a word about it that is a collector if one is named, else nothing.
func readExporters(getenv func(string) string, bad func(string, error)) []string {
	value := getenv(variableExporter)
	if value == "" {
		if getenv(variableEndpoint) == "" && getenv(variableTracesEndpoint) == "" {
			return nil
		}
		value = exporterOTLP
	}
	var exporters []string
	for name := range strings.SplitSeq(value, ",") {
		switch name = strings.TrimSpace(name); name {
		case exporterNone:
		case exporterOTLP, exporterConsole:
			if !slices.Contains(exporters, name) {
				exporters = append(exporters, name)
			}
		default:
			bad(variableExporter, fmt.Errorf("want %s, %s or %s, or several with commas; the rest is left out", exporterNone, exporterOTLP, exporterConsole))
		}
	}
	return exporters
}

func readProtocol(getenv func(string) string, bad func(string, error)) string {
	for _, variable := range []string{variableTracesProtocol, variableProtocol} {
		switch value := getenv(variable); value {
		case "":
		case protocolGRPC, protocolHTTP:
			return value
		default:
			bad(variable, fmt.Errorf("want %s or %s", protocolGRPC, protocolHTTP))
		}
	}
	return protocolHTTP
}

func readSampler(getenv func(string) string, bad func(string, error)) string {
	name := strings.ToLower(strings.TrimSpace(getenv(variableSampler)))
	switch {
	case name == "":
		return defaultSampler
	case !slices.Contains(samplers, name):
		bad(variableSampler, fmt.Errorf("want one of %s", strings.Join(samplers, ", ")))
		return defaultSampler
	case strings.HasSuffix(name, "traceidratio"):
		if arg := strings.TrimSpace(getenv(variableSamplerArg)); arg != "" {
			if ratio, err := strconv.ParseFloat(arg, 64); err != nil || ratio < 0 || ratio > 1 || ratio != ratio {
				bad(variableSamplerArg, errors.New("want a number from 0 to 1"))
			}
		}
	}
	return name
}

// checkNumber checks a number of milliseconds or spans; memory for so many spans is taken at once.
func checkNumber(value string) error {
	const most = 1_000_000
	if n, err := strconv.Atoi(value); err != nil || n < 1 || n > most {
		return fmt.Errorf("want a number from 1 to %d", most)
	}
	return nil
}

// checkFile checks a file in PEM.
func checkFile(value string) error {
	const most = 1 << 20
	f, err := os.Open(value)
	if err != nil {
		return errors.New("the file cannot be read")
	}
	defer func() { _ = f.Close() }() // only read
	data, err := io.ReadAll(io.LimitReader(f, most))
	if err != nil {
		return errors.New("the file cannot be read")
	}
	if block, _ := pem.Decode(data); block == nil {
		return errors.New("the file holds no PEM")
	}
	return nil
}

func checkEndpoint(value string) error {
	u, err := url.Parse(value)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return errors.New("want a URL such as http://collector:4318")
	}
	return nil
}

// checkPairs checks a list of name=value.
func checkPairs(value string) error {
	for pair := range strings.SplitSeq(value, ",") {
		if strings.TrimSpace(pair) == "" {
			continue
		}
		name, text, ok := strings.Cut(pair, "=")
		if _, err := url.PathUnescape(text); !ok || strings.TrimSpace(name) == "" || err != nil {
			return errors.New("want name=value, with commas between several and values percent-encoded")
		}
	}
	return nil
}

// SPDX-License-Identifier: Apache-2.0

package gateways

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"sigs.k8s.io/yaml"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	extauthzv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_authz/v3"
	luav3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/lua/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"

	// What the configurations name by URL.
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
)

// yamlBlocks returns the fenced YAML of a page.
func yamlBlocks(t *testing.T, page string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(pages, page))
	if err != nil {
		t.Fatal(err)
	}
	var blocks []string
	for _, part := range strings.Split(string(text), "\n```yaml\n")[1:] {
		block, _, found := strings.Cut(part, "\n```\n")
		if !found {
			t.Fatalf("%s: a block does not end", page)
		}
		blocks = append(blocks, block)
	}
	return blocks
}

// readProto reads YAML as Envoy does: an unknown field is a mistake, and so is what its validation rules forbid.
func readProto(t *testing.T, text string, into interface {
	proto.Message
	ValidateAll() error
}) {
	t.Helper()
	data, err := yaml.YAMLToJSONStrict([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := protojson.Unmarshal(data, into); err != nil {
		t.Fatal(err)
	}
	if err := into.ValidateAll(); err != nil {
		t.Fatal(err)
	}
}

// checkExtAuthz guards what every configuration of Envoy must have.
func checkExtAuthz(t *testing.T, c *extauthzv3.ExtAuthz) {
	t.Helper()
	if err := c.ValidateAll(); err != nil {
		t.Error(err)
	}
	if c.FailureModeAllow || c.ClearRouteCache || c.StatusOnError.GetCode() != 503 || c.TransportApiVersion != corev3.ApiVersion_V3 {
		t.Error("it fails open, may choose another route, or speaks an old version")
	}
}

// TestEnvoyPage guards that the page's configurations are Envoy's, fail closed, and leave the tenant to the route.
func TestEnvoyPage(t *testing.T) {
	blocks := yamlBlocks(t, "envoy.md")
	if len(blocks) != 4 {
		t.Fatalf("%d blocks", len(blocks))
	}
	var bootstrap bootstrapv3.Bootstrap
	readProto(t, blocks[0], &bootstrap)
	var manager hcmv3.HttpConnectionManager
	if err := bootstrap.StaticResources.Listeners[0].FilterChains[0].Filters[0].GetTypedConfig().UnmarshalTo(&manager); err != nil {
		t.Fatal(err)
	}
	if err := manager.ValidateAll(); err != nil {
		t.Error(err)
	}
	if got := manager.CommonHttpProtocolOptions.HeadersWithUnderscoresAction; got != corev3.HttpProtocolOptions_DROP_HEADER {
		t.Errorf("headers with underscores: %s", got)
	}
	var grpc, http extauthzv3.ExtAuthz
	if err := manager.HttpFilters[0].GetTypedConfig().UnmarshalTo(&grpc); err != nil {
		t.Fatal(err)
	}
	checkExtAuthz(t, &grpc)
	var route extauthzv3.ExtAuthzPerRoute
	if err := manager.GetRouteConfig().VirtualHosts[0].TypedPerFilterConfig["envoy.filters.http.ext_authz"].UnmarshalTo(&route); err != nil {
		t.Fatal(err)
	}
	if err := route.ValidateAll(); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(map[string]string{"tenant": "acme"}, route.GetCheckSettings().ContextExtensions); diff != "" {
		t.Error(diff)
	}

	var filter hcmv3.HttpFilter
	readProto(t, blocks[1], &filter)
	if err := filter.GetTypedConfig().UnmarshalTo(&http); err != nil {
		t.Fatal(err)
	}
	checkExtAuthz(t, &http)
	service := http.GetHttpService()
	if service.PathPrefix != "/envoy/acme" {
		t.Errorf("path_prefix %q", service.PathPrefix)
	}
	var copied []string
	for _, pattern := range service.AuthorizationResponse.AllowedUpstreamHeaders.Patterns {
		copied = append(copied, pattern.GetExact())
	}
	checkCopied(t, copied)

	var login hcmv3.HttpFilter
	readProto(t, blocks[3], &login)
	var script luav3.Lua
	if err := login.GetTypedConfig().UnmarshalTo(&script); err != nil {
		t.Fatal(err)
	}
	if err := script.ValidateAll(); err != nil || !strings.Contains(script.DefaultSourceCode.GetInlineString(), `"x-auth-login-location"`) {
		t.Errorf("the filter for browsers: %v", err)
	}
}

// TestEnvoyPublicHost guards that the virtual host where people log in answers what only gateways may ask itself, before anything else, and asks nobody about the rest.
func TestEnvoyPublicHost(t *testing.T) {
	var host routev3.VirtualHost
	readProto(t, yamlBlocks(t, "envoy.md")[2], &host)
	if len(host.Routes) != 3 || host.Routes[2].GetMatch().GetPrefix() != "/" || host.Routes[2].GetRoute().GetCluster() == "" {
		t.Fatalf("%v", host.Routes)
	}
	for i, prefix := range []string{"/verify", "/envoy"} {
		if r := host.Routes[i]; r.GetMatch().GetPrefix() != prefix || r.GetMatch().GetCaseSensitive().GetValue() || r.GetDirectResponse().GetStatus() != 404 {
			t.Errorf("%v", r)
		}
	}
	var route extauthzv3.ExtAuthzPerRoute
	if err := host.TypedPerFilterConfig["envoy.filters.http.ext_authz"].UnmarshalTo(&route); err != nil || !route.GetDisabled() {
		t.Errorf("people who have not logged in are kept from logging in: %v", err)
	}
}

// TestPublicHostExample guards that the route of the Gateway API names what everybody may ask for and nothing that only gateways may.
func TestPublicHostExample(t *testing.T) {
	all := sample(t, "auth-host.yaml")
	if len(all) != 1 || len(all[0].Spec.Rules) != 1 || all[0].Spec.Rules[0].BackendRefs[0] != (backendRef{Name: "gatehouse-default", Port: 8080}) {
		t.Fatalf("%+v", all[0])
	}
	allowed := func(path string) bool {
		return slices.ContainsFunc(all[0].Spec.Rules[0].Matches, func(m map[string]any) bool {
			match, _ := m["path"].(map[string]any)
			value, _ := match["value"].(string)
			return path == value || match["type"] == "PathPrefix" && strings.HasPrefix(path, value+"/")
		})
	}
	for _, path := range []string{"/verify", "/verify/acme", "/envoy/acme/app", "/envoy", "/", "/credentials/api", "/metrics"} {
		if allowed(path) {
			t.Errorf("%s is for everybody", path)
		}
	}
	for _, target := range append(shown, "/logout", "/account", "/api/v1/login", "/oauth2/revoke", "/userinfo", "/.well-known/jwks.json") {
		if path, _, _ := strings.Cut(target, "?"); !allowed(path) {
			t.Errorf("%s is for nobody", path)
		}
	}
}

// checkCopied guards that a list of headers that a gateway copies is complete.
func checkCopied(t *testing.T, names []string) {
	t.Helper()
	var want, got []string
	for _, name := range identityHeaders {
		want = append(want, strings.ToLower(name))
	}
	for _, name := range names {
		got = append(got, strings.ToLower(name))
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the headers that are copied (-want +got):\n%s", diff)
	}
}

// object is a document of an example, with the fields that this suite looks at.
type object struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct{ Name, Namespace string }
	Spec       struct {
		ForwardAuth *struct {
			Address             string
			AuthResponseHeaders []string
		} `json:"forwardAuth"`
		Routes      []map[string]any
		EntryPoints []string `json:"entryPoints"`

		ParentRefs []map[string]any `json:"parentRefs"`
		Hostnames  []string
		Rules      []struct {
			Matches     []map[string]any
			Filters     []routeFilter
			BackendRefs []backendRef `json:"backendRefs"`
		}
		TargetRefs []map[string]any `json:"targetRefs"`
		ExtAuth    *struct {
			GRPC, HTTP *struct {
				BackendRefs      []backendRef `json:"backendRefs"`
				Path             string
				HeadersToBackend []string `json:"headersToBackend"`
			}
			ContextExtensions []struct{ Name, Type, Value string } `json:"contextExtensions"`
			HeadersToExtAuth  []string                             `json:"headersToExtAuth"`
			Timeout           string
			FailOpen          *bool `json:"failOpen"`
			StatusOnError     int   `json:"statusOnError"`
		} `json:"extAuth"`
		From, To []struct{ Group, Kind, Namespace, Name string }
	}
}

type backendRef struct {
	Name, Namespace string
	Port            int
}

type routeFilter struct {
	Type         string
	ExternalAuth *struct {
		Protocol   string
		BackendRef backendRef `json:"backendRef"`
		HTTP       struct {
			Path                   string
			AllowedHeaders         []string `json:"allowedHeaders"`
			AllowedResponseHeaders []string `json:"allowedResponseHeaders"`
		}
	} `json:"externalAuth"`
}

// objects reads documents strictly: a field that this suite does not know is one that nobody has thought about.
func objects(t *testing.T, text string) []*object {
	t.Helper()
	var all []*object
	for _, doc := range strings.Split(text, "\n---\n") {
		o := new(object)
		if err := yaml.UnmarshalStrict([]byte(doc), o); err != nil {
			t.Fatal(err)
		}
		if o.APIVersion == "" || o.Kind == "" || o.Metadata.Name == "" || o.Metadata.Namespace == "" {
			t.Errorf("a document is no object of a namespace:\n%s", doc)
		}
		all = append(all, o)
	}
	return all
}

func sample(t *testing.T, name string) []*object {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../config/samples/gateways", name))
	if err != nil {
		t.Fatal(err)
	}
	return objects(t, string(text))
}

// checkGrant guards that what asks may ask.
func checkGrant(t *testing.T, o *object, kind string) {
	t.Helper()
	if o.Kind != "ReferenceGrant" || o.Metadata.Namespace != "default" || len(o.Spec.From) != 1 || o.Spec.From[0].Kind != kind || o.Spec.From[0].Namespace != "app" ||
		len(o.Spec.To) != 1 || o.Spec.To[0].Kind != "Service" || o.Spec.To[0].Name != "gatehouse-default" {
		t.Errorf("the grant is %+v", o)
	}
}

var askedHeaders = []string{"x-jwt-token", "x-jwt-tenant-id", "x-jwt-issuer", "x-jwt-client-id", "x-jwt-nonce", "cookie", "accept"}

// TestGatewayAPIExample guards that the example asks about acme, hands over what decides, and copies what is answered.
func TestGatewayAPIExample(t *testing.T) {
	all := sample(t, "gateway-api.yaml")
	filters := all[0].Spec.Rules[0].Filters
	if len(all) != 2 || len(filters) != 1 || filters[0].Type != "ExternalAuth" {
		t.Fatalf("%d objects, filters %+v", len(all), filters)
	}
	auth := filters[0].ExternalAuth
	if auth.Protocol != "HTTP" || auth.HTTP.Path != "/envoy/acme" || auth.BackendRef != (backendRef{"gatehouse-default", "default", 8080}) {
		t.Errorf("asked by %+v", auth)
	}
	if diff := cmp.Diff(askedHeaders, auth.HTTP.AllowedHeaders); diff != "" {
		t.Error(diff)
	}
	checkCopied(t, auth.HTTP.AllowedResponseHeaders)
	checkGrant(t, all[1], "HTTPRoute")
}

// TestEnvoyGatewayExamples guards the same for both ways of Envoy Gateway, and that they fail closed.
func TestEnvoyGatewayExamples(t *testing.T) {
	all := sample(t, "envoy-gateway.yaml")
	grpc, http := all[0].Spec.ExtAuth, sample(t, "envoy-gateway-http.yaml")[0].Spec.ExtAuth
	for name, open := range map[string]*bool{"gRPC": grpc.FailOpen, "HTTP": http.FailOpen} {
		if open == nil || *open {
			t.Errorf("%s does not say that it fails closed", name)
		}
	}
	if grpc.HTTP != nil || grpc.GRPC.BackendRefs[0] != (backendRef{"gatehouse-default", "default", 9191}) || grpc.StatusOnError != 503 || grpc.HeadersToExtAuth != nil {
		t.Errorf("gRPC is asked by %+v", grpc)
	}
	if len(grpc.ContextExtensions) != 1 || grpc.ContextExtensions[0] != (struct{ Name, Type, Value string }{"tenant", "Value", "acme"}) {
		t.Errorf("context extensions %+v", grpc.ContextExtensions)
	}
	checkGrant(t, all[1], "SecurityPolicy")
	if http.GRPC != nil || http.HTTP.BackendRefs[0] != (backendRef{"gatehouse-default", "default", 8080}) || http.HTTP.Path != "/envoy/acme" || http.StatusOnError != 503 {
		t.Errorf("HTTP is asked by %+v", http)
	}
	if diff := cmp.Diff(askedHeaders, http.HeadersToExtAuth); diff != "" {
		t.Error(diff)
	}
	checkCopied(t, http.HTTP.HeadersToBackend)
}

// TestTraefikPage guards that the page's middleware asks about acme and copies all headers.
func TestTraefikPage(t *testing.T) {
	blocks := yamlBlocks(t, "traefik.md")
	if len(blocks) != 2 {
		t.Fatalf("%d blocks", len(blocks))
	}
	host := objects(t, blocks[1])[0].Spec.Routes
	if match, _ := host[0]["match"].(string); len(host) != 1 || match != "Host(`auth.example.com`) && !PathPrefix(`/verify`) && !PathPrefix(`/envoy`)" {
		t.Errorf("the host where people log in: %v", host)
	}
	all := objects(t, blocks[0])
	auth := all[0].Spec.ForwardAuth
	if len(all) != 2 || auth == nil || auth.Address != "http://"+pageAuth+"/verify/acme?login=redirect" {
		t.Fatalf("asked by %+v", auth)
	}
	checkCopied(t, auth.AuthResponseHeaders)
}

// SPDX-License-Identifier: Apache-2.0

//go:build mutation

package mutation

// operating are the checks that keep the operator's output Secrets its own, and its calls of token endpoints few. The suite on a real API server has more of them.
var operating = []suite{
	{packages: []string{"./controllers"}, run: "^TestCredential|^TestGate|^TestOutputSecret|^TestSourceHash|^TestStatusOfTwo|^TestSecretIs|^TestRefusedSecret|^TestSuspicious|^TestFold", mutants: outputChecks},
	{packages: []string{"./authserver/outbound"}, run: "Deny|Denied", mutants: []mutant{
		{"operator: networks that it denies", "authserver/outbound/rules.go", "case within(r.DeniedCIDRs, addr):", "case false:"},
		{"operator: what it denies is no list's to open", "authserver/outbound/rules.go", "\tcase within(r.DeniedCIDRs, addr):\n\t\treturn &AddressError{Address: addr, Kind: string(kind), Denied: true}\n\tcase r.allows(addr):\n\t\treturn nil\n", "\tcase r.allows(addr):\n\t\treturn nil\n\tcase within(r.DeniedCIDRs, addr):\n\t\treturn &AddressError{Address: addr, Kind: string(kind), Denied: true}\n"},
		{"operator: denied in an IPv6 dress", "authserver/outbound/address.go", "reached := append(embedded(addr), addr)", "reached := []netip.Addr{addr}"},
		{"operator: loopback by another name", "authserver/outbound/address.go", "if a.IsUnspecified() {", "if a.IsUnspecified() && false {"},
		{"operator: networks in IPv4-mapped form", "authserver/outbound/address.go", "unmapPrefix(p).Contains)", "p.Contains)"},
		{"operator: denied for each client", "authserver/outbound/client.go", "r.DeniedCIDRs = slices.Concat(r.DeniedCIDRs, o.DeniedCIDRs)", ""},
	}},
	{packages: []string{"./cmd/operator"}, run: "Flags|Denied", mutants: []mutant{
		{"operator: loopback of its own Pod", "cmd/operator/flags.go", "getenv(\"KUBERNETES_SERVICE_HOST\") == \"\"", "getenv(\"KUBERNETES_SERVICE_HOST\") != \"-\""},
		{"operator: an empty list of networks", "cmd/operator/flags.go", "errors.New(\"--credential-denied-cidrs is empty: name at least one network, or leave the flag out for \" + deniedCIDRs)", "nil"},
	}},
}

var outputChecks = []mutant{
	{"operator: networks that it denies itself", "controllers/credential.go", "DeniedCIDRs: r.options.CredentialDeniedCIDRs", ""},
	{"operator: places for all endpoints", "controllers/credential_gate.go", "len(g.inside) < gatePlaces && ", ""},
	{"operator: places for one host", "controllers/credential_gate.go", "host < gateHost && ", ""},
	{"operator: places for endpoints that hang", "controllers/credential_gate.go", "(!t.doubtful || doubtful < gateDoubtful)", "(!t.doubtful || true)"},
	{"operator: who waits keeps its turn", "controllers/credential_gate.go", "case i >= 0:\n\t\tg.waiting[i] = t", "case false:"},
	{"operator: who set a field last", "controllers/credential_secret.go", `if e.Manager != v1alpha1.FieldManager || `, "if "},
	{"operator: fields that count", "controllers/credential_secret.go", `h.source == "" || !ownsFields(o.GetManagedFields())`, `h.source == ""`},
	{"operator: a schedule that can be read", "controllers/credential_secret.go", "if err != nil {\n\t\t\treturn nil\n\t\t}", "_ = err"},
	{"operator: a new Secret is created", "controllers/credential_find.go", `if found.uid == "" {`, "if false {"},
	{"operator: the Secret that was found", "controllers/credential_find.go", "applied.UID, applied.ResourceVersion = found.uid, found.version", "applied.UID = found.uid"},
	{"operator: its very object", "controllers/credential_find.go", "applied.UID, applied.ResourceVersion = found.uid, found.version", "applied.ResourceVersion = found.version"},
	{"operator: an immutable Secret that was found", "controllers/credential_find.go", "gone, client.Preconditions{UID: ptr.To(found.uid), ResourceVersion: ptr.To(found.version)}", "gone, client.Preconditions{UID: ptr.To(found.uid), ResourceVersion: new(string)}"},
	{"operator: words of an API server that refuses", "controllers/credential_find.go", "return &refusedSecret{reason: apierrors.ReasonForError(err)}", "return err"},
	{"operator: words of an API server that fails", "controllers/credential_find.go", "case errors.As(err, &status):", "case false:"},
	{"operator: after an outage", "controllers/credential.go", "if c.r.audit.suspicious() {", "if false {"},
	{"operator: pauses after failures", "controllers/credential_state.go", "case st.failure != nil:\n\t\treturn st.failure.next", "case false:"},
	{"operator: the longest pause", "controllers/credential_state.go", "if events < 7 {", "if events < 9 {"},
	{"operator: what the endpoint asks for", "controllers/credential_state.go", "now.Add(max(pause(st.failures, jitter), after))", "now.Add(pause(st.failures, jitter))"},
	{"operator: pauses for who undoes it", "controllers/credential_state.go", "if st.restores == 0 {", "if true {"},
	{"operator: a token of another source", "controllers/credential_state.go", "case h.source != d.source:", "case false:"},
	{"operator: before it is due", "controllers/credential_state.go", "case now.Before(h.renewAt):", "case false:"},
	{"operator: the least pause", "controllers/credential_state.go", "case now.Before(st.pausedUntil(h)):", "case false:"},
	{"operator: the least pause of a new process", "controllers/credential_state.go", "if h.issuedAt.After(last) {", "if false {"},
	{"operator: the least life", "controllers/credential_renew.go", "case life < minLife:", "case false:"},
	{"operator: a token that had ended when it came", "controllers/credential_renew.go", "case !now.Before(t.ExpiresAt):", "case false:"},
	{"operator: the end of a token that is counted", "controllers/credential_state.go", "case !now.Before(st.ends):", "case false:"},
	{"operator: attempts that fail are counted", "controllers/credential_state.go", "case st.failing:", "case false:"},
	{"operator: the end of a token", "controllers/credential_secret.go", "return h != nil && now.Before(h.expiresAt)", "return h != nil"},
	{"operator: overdue at first sight", "controllers/credential_state.go", "left > 0 && st.written.IsZero()", "false && left > 0"},
	{"operator: conditions of two writers", "controllers/report.go", "client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})", "client.MergeFrom(before)"},
}

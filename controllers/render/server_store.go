// SPDX-License-Identifier: Apache-2.0

package render

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

const (
	dsnField      = "spec.store.postgreSQL.dsnSecretRef"
	dsnTrustField = "spec.store.postgreSQL.caBundleRef"
	// maxDSN bounds a connection string in bytes.
	maxDSN = 4 << 10
)

// store is spec.store but for the connection string, which render reads.
func (s *serverPlan) store() config.Store {
	spec := &s.object.Spec.Store
	out := config.Store{Type: string(spec.Type)}
	switch out.Type {
	case "":
		out.Type = config.StoreEmbedded
	case config.StoreEmbedded, config.StoreNone, config.StorePostgreSQL:
	default:
		s.refuse(v1alpha1.ReasonInvalid, "spec.store.type", "%s is not known: use %s, %s or %s", quoted(out.Type), config.StoreEmbedded, config.StorePostgreSQL, config.StoreNone)
	}
	if (out.Type == config.StorePostgreSQL) != (spec.PostgreSQL != nil) {
		s.refuse(v1alpha1.ReasonInvalid, "spec.store.postgreSQL", "it goes with type PostgreSQL: set both or neither")
	}
	if spec.Embedded != nil && out.Type != config.StoreEmbedded {
		s.refuse(v1alpha1.ReasonInvalid, "spec.store.embedded", "it goes with type Embedded: leave it out")
	}
	out.Persistent = out.Type == config.StoreEmbedded && spec.Embedded != nil && spec.Embedded.PersistentVolumeClaim != ""
	return out
}

func (s *serverPlan) dsnRef() *v1alpha1.SecretKeyReference {
	spec := &s.object.Spec.Store
	if spec.Type != v1alpha1.StorePostgreSQL || spec.PostgreSQL == nil {
		return nil
	}
	return &spec.PostgreSQL.DSNSecretRef
}

func (s *serverPlan) dsnBundle() *v1alpha1.CABundleReference {
	if s.dsnRef() == nil {
		return nil
	}
	return s.object.Spec.Store.PostgreSQL.CABundleRef
}

// database is the store in PostgreSQL, whole or not at all: the server must not take one's CAs for another's.
func (s *serverPlan) database(f *findings, r *resolver) (config.Store, bool) {
	from := s.dsnRef()
	text, ok := r.dsn(f, dsnField, from, s.object.Namespace)
	out := config.Store{Type: config.StorePostgreSQL, DSN: text}
	b := s.dsnBundle()
	if b == nil {
		return out, ok
	}
	pem, trusted := r.caBundle(f, dsnTrustField, b, s.object.Namespace)
	if ok && !verifies(text) {
		f.refuseRef(v1alpha1.ReasonRefInvalid, dsnField, "key %q of %s: with %s it needs sslmode=verify-full or verify-ca, once: with any other the database's certificate is not verified",
			from.Key, secretRef(from, s.object.Namespace), dsnTrustField)
		ok = false
	}
	out.CABundle = pem
	return out, ok && trusted
}

// dsnMode finds the settings of sslmode in either form of a connection string.
var dsnMode = regexp.MustCompile(`(?:^|[?&\s])sslmode\s*=\s*('[^']*'|[^\s&]*)`)

// verifies tells whether a connection string has the database's certificate verified.
func verifies(dsn string) bool {
	found := dsnMode.FindAllStringSubmatch(dsn, -1)
	if len(found) != 1 {
		return false
	}
	mode := strings.Trim(found[0][1], "'")
	return mode == "verify-full" || mode == "verify-ca"
}

// dsn reads a connection string. No message repeats any of it: it holds a password.
func (r *resolver) dsn(f *findings, field string, from *v1alpha1.SecretKeyReference, namespace string) (string, bool) {
	ref := secretRef(from, namespace)
	data, ok := r.value(f, field, ref, from.Key)
	if !ok {
		return "", false
	}
	text := string(bytes.TrimSpace(data))
	if err := checkDSN(text); err != nil {
		f.refuseRef(v1alpha1.ReasonRefInvalid, field, "key %q of %s: %v", from.Key, ref, err)
		return "", false
	}
	return text, true
}

const dsnWanted = "want postgres://user:password@host:5432/database?sslmode=verify-full, or host=… user=… password=… dbname=…"

// dsnPairs is libpq's other form: names with values, which are in single quotes if they hold spaces.
var dsnPairs = regexp.MustCompile(`^([A-Za-z_]+\s*=\s*('([^'\\]|\\.)*'|[^\s']*)\s*)+$`)

var dsnHost = regexp.MustCompile(`(^|\s)host\s*=\s*[^\s]`)

// checkDSN looks at the form alone: what the server's driver and the database think of it shows when it connects.
func checkDSN(s string) error {
	switch {
	case s == "":
		return errors.New("it is empty: " + dsnWanted)
	case len(s) > maxDSN:
		return fmt.Errorf("it has %d bytes, at most %d are allowed", len(s), maxDSN)
	case strings.ContainsAny(s, "\n\r\x00"):
		return errors.New("it has more than one line: " + dsnWanted)
	case strings.HasPrefix(s, "postgres://") || strings.HasPrefix(s, "postgresql://"):
		return checkDSNURL(s)
	case !dsnPairs.MatchString(s):
		return errors.New("it is no connection string: " + dsnWanted)
	case !dsnHost.MatchString(s):
		return errors.New("it names no host: " + dsnWanted)
	}
	return nil
}

// checkDSNURL parses a URL, of several hosts with the first in their place: the form with commas is PostgreSQL's own.
func checkDSNURL(s string) error {
	scheme, rest, _ := strings.Cut(s, "://")
	end := len(rest)
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		end = i
	}
	authority, tail := rest[:end], rest[end:]
	user, hosts := "", authority
	if i := strings.LastIndex(authority, "@"); i >= 0 {
		user, hosts = authority[:i+1], authority[i+1:]
	}
	first, _, _ := strings.Cut(hosts, ",")
	u, err := url.Parse(scheme + "://" + user + first + tail)
	switch {
	case err != nil || strings.Contains(tail, "#") || strings.Contains(tail, "@"): // whose words would repeat it
		return errors.New("it is no valid URL: write characters such as @ : / ? # % in user and password as %40 %3A %2F %3F %23 %25")
	case u.Hostname() == "" && u.Query().Get("host") == "":
		return errors.New("it names no host: " + dsnWanted)
	}
	return nil
}

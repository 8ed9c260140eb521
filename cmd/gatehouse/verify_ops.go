// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/gatehouse-auth/gatehouse/authserver"
	"github.com/gatehouse-auth/gatehouse/authserver/logs"
	"github.com/gatehouse-auth/gatehouse/authserver/policy"
)

// maxReport bounds the answer of POST /explain, in bytes.
const maxReport = 1 << 20

// newOpsExplainer asks the auth server whose operations listener is at address.
func newOpsExplainer(address, tokenFile string) (explainer, error) {
	target, err := explainURL(address)
	if err != nil {
		return nil, err
	}
	if tokenFile == "" {
		return nil, errors.New("--ops needs --token-file: a file with the value of key token of Secret gatehouse-<server>-ops")
	}
	token, err := authserver.ReadOpsToken(tokenFile)
	if err != nil {
		return nil, unusable("--token-file: %w", err)
	}
	// A redirect would carry both tokens to somebody that nobody named.
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return func(ctx context.Context, q *question, _ io.Writer) (*policy.Report, error) {
		report, err := postExplain(ctx, client, target, token, q)
		if err != nil {
			return nil, failed(fmt.Errorf("asking %s: %w", target, err))
		}
		return report, nil
	}, nil
}

// explainURL is where a server's operations listener explains.
func explainURL(address string) (string, error) {
	base, err := opsAddress(address)
	return base + "/explain", err
}

// opsAddress is a server's operations address as given by --ops, without a slash at its end.
func opsAddress(address string) (string, error) {
	const want = "want an address such as http://127.0.0.1:9090"
	u, err := url.Parse(address)
	switch {
	case err != nil: // err repeats the address, which may hold a password
		return "", fmt.Errorf("--ops is no URL: %s", want)
	case u.Scheme != "http" && u.Scheme != "https", u.Host == "":
		return "", fmt.Errorf("--ops must begin with http:// or https:// and name a host: %s", want)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return "", fmt.Errorf("--ops must have neither user, query nor fragment: %s", want)
	}
	return strings.TrimRight(u.String(), "/"), nil
}

func postExplain(ctx context.Context, client *http.Client, target string, token logs.Secret, q *question) (*policy.Report, error) {
	body, err := json.Marshal(q)
	if err != nil {
		return nil, fmt.Errorf("encoding the question: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(body))
	if err != nil {
		return nil, errors.New("the address is no URL that can be asked")
	}
	request.Header.Set("Authorization", "Bearer "+token.Reveal())
	request.Header.Set("Content-Type", "application/json")
	response, err := client.Do(request)
	if err != nil {
		if cause, ok := errors.AsType[*url.Error](err); ok { // which repeats the address
			err = cause.Err
		}
		return nil, err
	}
	defer func() { _ = response.Body.Close() }() // only read
	if response.StatusCode != http.StatusOK {
		return nil, refusedQuestion(response.StatusCode)
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, maxReport+1))
	if err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	report := new(policy.Report)
	if len(text) > maxReport || json.Unmarshal(text, report) != nil {
		return nil, errors.New("the answer is no report: is this the operations address of an auth server?")
	}
	return report, nil
}

// refusedQuestion says what an answer other than 200 means. Its body is not repeated: whoever answers has been told the token.
func refusedQuestion(status int) error {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Errorf("it refuses the operations token (%d): --token-file must hold what the server has now, in a cluster the key token of Secret gatehouse-<server>-ops, "+
			"with gatehouse serve the file that its --ops-token-file names (without that flag it has none)", status)
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		return fmt.Errorf("nothing explains tokens there (%d): --ops is the operations address (port 9090), not the public one (8080)", status)
	default:
		return fmt.Errorf("it answers %d", status)
	}
}

// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/gatehouse-auth/gatehouse/authserver/logs"
)

// maxOpsToken bounds the operations token, in bytes.
const maxOpsToken = 4 << 10

// ReadOpsToken reads the bearer token of the operations API from a file; white space around it is no part of it. An empty path
// gives an empty token: then no call that needs one is answered.
func ReadOpsToken(path string) (logs.Secret, error) {
	if path == "" {
		return "", nil
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }() // only read
	data, err := io.ReadAll(io.LimitReader(f, maxOpsToken+1))
	if err != nil {
		return "", err
	}
	token := strings.TrimSpace(string(data))
	if token == "" || len(data) > maxOpsToken {
		return "", fmt.Errorf("%s is empty or longer than %d bytes", path, maxOpsToken)
	}
	return logs.Secret(token), nil
}

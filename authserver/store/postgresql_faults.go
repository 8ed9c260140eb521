// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"crypto/x509"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5/pgconn"
)

// fault is an error of PostgreSQL or on the way to it, in words of this package. It holds nothing of what the driver said:
// that may quote the DSN, in which a password may stand anywhere, or a row.
type fault struct {
	kind error // ErrUnavailable, errConflict or nil
	text string
}

func (f *fault) Error() string {
	if errors.Is(f.kind, ErrUnavailable) {
		return f.kind.Error() + ": " + f.text
	}
	return f.text
}

// Is makes an exhausted conflict an ErrUnavailable too: the database is too busy.
func (f *fault) Is(target error) bool {
	return f.kind != nil && (target == f.kind || target == ErrUnavailable && f.kind == errConflict)
}

// passwordEmail is the index in which editors of different organizations meet.
const passwordEmail = "users_password_email"

// words says what the codes mean that a wrong set-up gives.
var words = map[string]string{
	pgerrcode.InvalidPassword:                   "the DSN's user or password is wrong",
	pgerrcode.InvalidAuthorizationSpecification: "the server does not let the DSN's user in from here",
	pgerrcode.InvalidCatalogName:                "the DSN's database does not exist",
	pgerrcode.InsufficientPrivilege:             "the DSN's user may not do that; it has to own the database, or have USAGE and CREATE on the schema",
	pgerrcode.TooManyConnections:                "the server has too many connections; lower pool_max_conns in the DSN, or raise max_connections",
	pgerrcode.AdminShutdown:                     "the server is shutting down",
	pgerrcode.CrashShutdown:                     "the server has crashed",
	pgerrcode.CannotConnectNow:                  "the server is starting or stopping",
	pgerrcode.QueryCanceled:                     "the statement took too long",
	pgerrcode.ReadOnlySQLTransaction:            "the server only reads; the DSN may need target_session_attrs=read-write",
	pgerrcode.UndefinedObject:                   "the server does not know a name it was given, such as that of a setting in the DSN",
	pgerrcode.DiskFull:                          "the server's disk is full",
}

// postgresFault makes a fault of any error of pgx and database/sql.
func postgresFault(err error) error {
	var known *fault
	if errors.As(err, &known) {
		return known
	}
	var server *pgconn.PgError
	if errors.As(err, &server) {
		return serverFault(server)
	}
	text, kind := connectionFault(err), ErrUnavailable
	if text == "" { // of the driver itself
		return &fault{text: fmt.Sprintf("a statement failed in the driver (%T)", err)}
	}
	if errors.Is(err, driver.ErrBadConn) {
		kind = errConflict // nothing was sent; another connection may do
	}
	return &fault{kind, text}
}

func serverFault(err *pgconn.PgError) *fault {
	code := err.Code
	text := "SQLSTATE " + code
	if w := words[code]; w != "" {
		text = w + " (" + text + ")"
	}
	switch {
	case code == pgerrcode.SerializationFailure, code == pgerrcode.DeadlockDetected,
		code == pgerrcode.UniqueViolation && err.ConstraintName == passwordEmail: // the rival can be seen the next time
		return &fault{errConflict, text}
	case pgerrcode.IsConnectionException(code), pgerrcode.IsInsufficientResources(code), pgerrcode.IsOperatorIntervention(code),
		pgerrcode.IsSystemError(code), pgerrcode.IsInternalError(code), pgerrcode.IsInvalidAuthorizationSpecification(code),
		code == pgerrcode.InvalidCatalogName, code == pgerrcode.ReadOnlySQLTransaction, code == pgerrcode.LockNotAvailable,
		code == pgerrcode.IdleInTransactionSessionTimeout, code == pgerrcode.InsufficientPrivilege:
		return &fault{ErrUnavailable, text}
	default:
		return &fault{nil, text}
	}
}

// connectionFault says why there is no connection, or "" if err is of another kind.
func connectionFault(err error) string {
	var resolve *net.DNSError
	var errno syscall.Errno
	var network net.Error
	var connect *pgconn.ConnectError
	switch {
	case errors.As(err, &resolve):
		return "the name of the DSN's host cannot be resolved"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return "no answer in time"
	case untrusted(err):
		return "the server's certificate is not trusted, or is not for the DSN's host"
	case errors.As(err, &errno):
		return "the connection failed: " + errno.Error()
	case errors.As(err, &connect):
		return "the connection failed"
	case errors.As(err, &network), broken(err):
		return "the connection broke"
	default:
		return ""
	}
}

func untrusted(err error) bool {
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	return errors.As(err, &authority) || errors.As(err, &host) || errors.As(err, &invalid)
}

func broken(err error) bool {
	for _, end := range []error{driver.ErrBadConn, io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, sql.ErrConnDone, pgconn.ErrConnClosed, context.Canceled} {
		if errors.Is(err, end) {
			return true
		}
	}
	return false
}

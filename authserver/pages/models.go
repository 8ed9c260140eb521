// SPDX-License-Identifier: Apache-2.0

package pages

import (
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

// Names of form fields, and values of FieldAction on the account page.
const (
	FieldCSRF     = "csrf"
	FieldEmail    = "email"
	FieldPassword = "password"
	FieldAction   = "action"
	FieldSession  = "session"

	// ActionEnd ends the session that FieldSession names; ActionEndOthers ends all but this browser's.
	ActionEnd       = "end"
	ActionEndOthers = "end_others"
)

// Field is one hidden field of a form.
type Field struct{ Name, Value string }

// Button is the way to one provider.
type Button struct {
	// Name is the display name, URL a path of this server.
	Name, URL string
	// Icon is one of [Site].Icons, or nil: then the name's first letter stands for it.
	Icon *config.Image
}

// PasswordForm asks for e-mail address (FieldEmail) and password (FieldPassword) and posts to Action with Hidden and, unless it is empty, CSRF (FieldCSRF).
type PasswordForm struct {
	Action string
	// Email is what was typed before.
	Email  string
	Hidden []Field
	CSRF   string
}

// LoginModel is the login page. With neither Providers nor Password it says that nobody can log in here.
type LoginModel struct {
	// Providers are in the order of the buttons.
	Providers []Button
	// Password is nil with password login off.
	Password *PasswordForm
	// Problem is one of the Reason constants, shown above the buttons; empty for none.
	Problem string
	// OfForm says that Problem is about what was typed, and shown in the form: buttons above it could take it out of sight.
	OfForm bool
	// ProblemMessage are words for the person that replace the reason's own, such as a claim rule's.
	ProblemMessage string
	// Reference is what an administrator finds the Problem by, such as a trace ID; empty for none.
	Reference string
	// LoggedOut says that the person has just logged out.
	LoggedOut bool
	// Current is what the person is called who is logged in already, and ContinueURL where they can go on as that; empty for nobody.
	Current, ContinueURL string
}

// ContinueModel is the page that leads on to URL by itself after a form was posted: to another origin, or to an application's private scheme.
type ContinueModel struct {
	// URL is https, http, or a private scheme with a dot in it (RFC 8252 §7.1); anything else is shown as a fault.
	URL string
}

// ConfirmLogoutModel asks whether to log out, and posts to Action with Hidden and CSRF.
type ConfirmLogoutModel struct {
	Action string
	Hidden []Field
	CSRF   string
	// Provider is the display name of the one that will be logged out of too; empty for none.
	Provider string
	// Cancel is where "stay logged in" leads; empty: /account.
	Cancel string
}

// LoggedOutModel is the page after a logout.
type LoggedOutModel struct {
	// LoginURL is where "log in again" leads; empty: /login.
	LoginURL string
	// Provider and ProviderURL are set where the browser goes on to log out at the provider, which it does by itself.
	Provider, ProviderURL string
}

// AccountModel is the account page.
type AccountModel struct {
	Name, Username, Email, Organization string
	// Provider is the display name of the one that the login came through.
	Provider string
	Groups   []string
	// Sessions are shown in this order, but for this browser's, which comes first.
	Sessions []Session
	// Now is what "5 minutes ago" is counted from.
	Now time.Time
	// Action is where the forms of sessions post FieldAction, FieldSession and CSRF.
	Action, CSRF string
	// LogoutAction is where this browser's logout posts CSRF.
	LogoutAction string
	// Ended is how many sessions the person has just ended, told above the list; 0 for none.
	Ended int
	// Problem is one of the Reason constants; empty for none.
	Problem string
}

// Session is one of a person's sessions.
type Session struct {
	// ID names it in FieldSession. It is not the cookie's value.
	ID string
	// Client says which browser it is, such as "Firefox on Linux, 203.0.113.7"; [ClientName] makes the first half.
	Client string
	// Current marks this browser's.
	Current       bool
	Begun, SeenAt time.Time
}

// ProblemModel is the page of a refusal.
type ProblemModel struct {
	// Reason is one of the Reason constants; one without words here gets those of the status.
	Reason string
	// Provider is the display name of the provider that it is about; empty for none.
	Provider string
	// RetryURL is a path of this server where the person can go on; empty: /login.
	RetryURL string
	// Final says that there is nowhere to go on: the page has no button. It always is so with [ReasonHTTPSRequired].
	Final bool
	// Reference is what an administrator finds the event by, such as a trace ID; empty for none.
	Reference string
}

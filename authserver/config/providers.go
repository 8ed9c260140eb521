// SPDX-License-Identifier: Apache-2.0

package config

// Provider types.
const (
	ProviderPassword = "Password"
	ProviderOIDC     = "OIDC"
	ProviderOAuth2   = "OAuth2"
)

// Values of Provider.UserSync and Provider.Linking.
const (
	SyncAlways           = "Always"
	SyncFirstLogin       = "FirstLogin"
	LinkingNone          = "None"
	LinkingVerifiedEmail = "VerifiedEmail"
)

// Provider is one accepted and enabled IdentityProvider.
type Provider struct {
	// Object is "IdentityProvider/namespace/name", the key at /configz.
	Object string `json:"object"`
	// Name is the provider's name in URLs and tokens: the object's name, from another namespace "<namespace>_<name>".
	Name string `json:"name"`
	Type string `json:"type"`

	// DisplayName is never empty.
	DisplayName  string `json:"displayName,omitempty"`
	Organization string `json:"organization"`
	// OnLoginPage tells whether /login shows a button: providers of the server's own namespace.
	OnLoginPage bool   `json:"onLoginPage,omitempty"`
	Icon        *Image `json:"icon,omitempty"`
	// CABundle names the one of Base.Bundles that counts for this provider's URLs; empty means the server's own.
	CABundle string `json:"caBundle,omitempty"`

	// The next five are set for OIDC and OAuth2.
	Mappings *ProviderMappings `json:"mappings,omitempty"`
	// Rules are CEL over claims, userinfo and groups; Claim and RequiredValue are empty.
	Rules    []ClaimRule `json:"rules,omitempty"`
	UserSync string      `json:"userSync,omitempty"`
	Linking  string      `json:"linking,omitempty"`
	// SyncLogout also logs out at the provider.
	SyncLogout bool `json:"syncLogout,omitempty"`

	Password *Password `json:"password,omitempty"`
	OIDC     *OIDC     `json:"oidc,omitempty"`
	OAuth2   *OAuth2   `json:"oauth2,omitempty"`
}

// ProviderMappings say where a user's attributes come from. Render has filled in the defaults. Source.Joined is not used. A claim is looked up in the ID
// token, then in userinfo; for OAuth2 in userinfo.
type ProviderMappings struct {
	Username Source `json:"username"`
	Email    Source `json:"email,omitzero"`
	Name     Source `json:"name,omitzero"`
	Phone    Source `json:"phone,omitzero"`
	Comment  Source `json:"comment,omitzero"`
	Groups   Source `json:"groups,omitzero"`
}

// Values of Client.Authentication.
const (
	ClientSecretBasic = "ClientSecretBasic"
	ClientSecretPost  = "ClientSecretPost"
	PrivateKeyJWT     = "PrivateKeyJWT"
	ClientNone        = "None"
)

// Client is this server as a client of a provider.
type Client struct {
	ID string `json:"id"`
	// Authentication is one of the four constants; Secret is empty for None, a private JWK for PrivateKeyJWT.
	Authentication string   `json:"authentication"`
	Secret         string   `json:"secret,omitempty"`
	Scopes         []string `json:"scopes,omitempty"`
	// PKCE says whether S256 is used.
	PKCE bool `json:"pkce,omitempty"`
}

// OIDC is the block of an OIDC provider.
type OIDC struct {
	Client Client `json:"client"`
	// Issuer may be empty when AuthorizationEndpoint, TokenEndpoint and JWKSEndpoint are set.
	Issuer string `json:"issuer,omitempty"`
	// Discovery is the whole URL of the metadata; empty with an empty Issuer.
	Discovery             string      `json:"discovery,omitempty"`
	Algorithms            []string    `json:"algorithms"`
	AuthorizationEndpoint string      `json:"authorizationEndpoint,omitempty"`
	TokenEndpoint         string      `json:"tokenEndpoint,omitempty"`
	UserInfoEndpoint      string      `json:"userInfoEndpoint,omitempty"`
	JWKSEndpoint          string      `json:"jwksEndpoint,omitempty"`
	EndSessionEndpoint    string      `json:"endSessionEndpoint,omitempty"`
	Parameters            []Parameter `json:"parameters,omitempty"`
}

// Parameter is one more parameter of an authorization request.
type Parameter struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// OAuth2 is the block of an OAuth2 provider.
type OAuth2 struct {
	Client                Client `json:"client"`
	AuthorizationEndpoint string `json:"authorizationEndpoint"`
	TokenEndpoint         string `json:"tokenEndpoint"`
	UserInfoEndpoint      string `json:"userInfoEndpoint"`
	EmailsEndpoint        string `json:"emailsEndpoint,omitempty"`
	GroupsEndpoint        string `json:"groupsEndpoint,omitempty"`
	// GroupsExpression is CEL over groups, the answer of GroupsEndpoint.
	GroupsExpression string `json:"groupsExpression,omitempty"`
	SubjectAttribute string `json:"subjectAttribute"`
	LogoutEndpoint   string `json:"logoutEndpoint,omitempty"`
}

// Password is the block of a Password provider.
type Password struct {
	// MinLength is how many characters a new password must have.
	MinLength int    `json:"minLength,omitempty"`
	Users     []User `json:"users"`
}

// User is one entry of a users Secret.
type User struct {
	// Email is the login name, unique in the list when case-folded.
	Email string `json:"email"`
	// Username is what applications see; render puts the e-mail address where the list gives none.
	Username string   `json:"username"`
	Name     string   `json:"name,omitempty"`
	Groups   []string `json:"groups,omitempty"`
	// Hash is a PHC string: argon2id, bcrypt, scrypt or pbkdf2.
	Hash string `json:"hash"`
}

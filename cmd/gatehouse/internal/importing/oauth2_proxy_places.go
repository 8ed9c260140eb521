// SPDX-License-Identifier: Apache-2.0

package importing

// place is what OAuth2 Proxy knows of a provider without being told.
type place struct {
	title, issuer, scope string
	// oauth2: there is no ID token. subject, username and method are then the place's, and the endpoints.
	oauth2                                 bool
	subject, username, method              string
	authorization, token, userInfo, emails string
	// instead says what to use where people cannot log in with what there is here.
	instead string
}

// places are OAuth2 Proxy's providers. Those without an entry are of type OIDC.
var places = map[string]place{
	"google":        {title: "Google", issuer: "https://accounts.google.com", scope: "profile email"},
	"gitlab":        {title: "GitLab", issuer: "https://gitlab.com", scope: "openid email"},
	"oidc":          {title: "", scope: "openid email profile"},
	"keycloak-oidc": {title: "Keycloak", scope: "openid email profile"},
	"cidaas":        {title: "cidaas", scope: "openid email profile roles groups"},
	"adfs":          {title: "ADFS", scope: "openid email profile"},
	"azure":         {title: "Microsoft", scope: "openid email profile"},
	"entra-id":      {title: "Microsoft", scope: "openid email profile"},
	"login.gov":     {title: "login.gov", issuer: "https://secure.login.gov/", scope: "email openid"},
	"linkedin":      {title: "LinkedIn", issuer: "https://www.linkedin.com/oauth", scope: "openid profile email", method: "ClientSecretPost"},
	"github": {title: "GitHub", scope: "user:email read:org", oauth2: true, subject: "id", username: "login", method: "ClientSecretPost", authorization: "https://github.com/login/oauth/authorize",
		token: "https://github.com/login/oauth/access_token", userInfo: "https://api.github.com/user", emails: "https://api.github.com/user/emails"},
	"facebook": {title: "Facebook", scope: "public_profile email", oauth2: true, subject: "id", username: "email", method: "ClientSecretPost", authorization: "https://www.facebook.com/v23.0/dialog/oauth",
		token: "https://graph.facebook.com/v23.0/oauth/access_token", userInfo: "https://graph.facebook.com/v23.0/me?fields=id,name,email"},
	"keycloak": {title: "Keycloak", scope: "api", oauth2: true, subject: "sub", username: "preferred_username"},
	"bitbucket": {title: "Bitbucket", scope: "email", oauth2: true, subject: "uuid", username: "nickname", authorization: "https://bitbucket.org/site/oauth2/authorize",
		token: "https://bitbucket.org/site/oauth2/access_token", userInfo: "https://api.bitbucket.org/2.0/user"},
	"digitalocean": {instead: "its userinfo answer has the user's ID inside another object, which type OAuth2 does not read"},
	"nextcloud":    {instead: "its answer has the user's ID inside another object: install Nextcloud's app \"OIDC Identity Provider\", and import provider = \"oidc\""},
	"sourcehut":    {instead: "it is asked with GraphQL, which type OAuth2 does not speak"},
}

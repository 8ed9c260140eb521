// SPDX-License-Identifier: Apache-2.0

// A real OpenID provider for the browser suite: npm's oidc-provider with its own pages for login and consent, where any name and any password do.
//
//   node provider.mjs '{"clientID": "...", "method": "client_secret_basic", "clientSecret": "...", "jwks": {"keys": [...]}, "redirectURIs": [...], "postLogoutURIs": [...],
//     "backChannelLogoutURI": "..."}'
//
// where method is the one way of client authentication that it accepts, and jwks the client's public keys for private_key_jwt.
//
// It listens on a free port of the loopback interface, writes {"issuer": "http://localhost:PORT"} to standard output when it serves, and ends when
// standard input does. Each refusal is a line on standard error, by its reason; never a token.
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { createServer } from "node:http";

import { Provider } from "oidc-provider";

const given = JSON.parse(process.argv[2]);
const server = createServer();
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));

// Another site than 127.0.0.1, so that browsers treat what passes between the two as they do between companies.
const issuer = `http://localhost:${server.address().port}`;
const key = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" });

const provider = new Provider(issuer, {
  clients: [{
    client_id: given.clientID,
    client_secret: given.clientSecret || undefined,
    token_endpoint_auth_method: given.method,
    jwks: given.jwks ?? undefined,
    redirect_uris: given.redirectURIs,
    post_logout_redirect_uris: given.postLogoutURIs,
    backchannel_logout_uri: given.backChannelLogoutURI,
    backchannel_logout_session_required: true,
    response_types: ["code"],
    grant_types: ["authorization_code"],
  }],
  jwks: { keys: [{ ...key, kid: "k1", use: "sig", alg: "RS256" }] },
  cookies: { keys: [randomBytes(32).toString("hex")] },
  // Its own dispatcher refuses loopback addresses, where back-channel logout has to go here.
  fetch: (url, { dispatcher, ...options }) => fetch(url, options),
  pkce: { required: () => true },
  features: { backchannelLogout: { enabled: true }, devInteractions: { enabled: true }, rpInitiatedLogout: { enabled: true } },
  claims: {
    openid: ["sub"],
    profile: ["name", "preferred_username", "groups"],
    email: ["email", "email_verified"],
  },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({
      sub: id, name: `${id[0].toUpperCase()}${id.slice(1)} Archer`, preferred_username: id, groups: ["platform", "on-call"],
      email: `${id}@idp.example`, email_verified: true,
    }),
  }),
});

for (const event of ["authorization.error", "grant.error", "userinfo.error", "end_session.error", "backchannel.error", "server_error"]) {
  provider.on(event, (_, error) => console.error(`${event}: ${error.message}: ${error.error_detail ?? error.cause ?? ""}`));
}

server.on("request", provider.callback());
process.stdin.on("end", () => process.exit(0)).resume();
console.log(JSON.stringify({ issuer }));

// SPDX-License-Identifier: Apache-2.0

// A real OpenID provider for the browser suite: npm's oidc-provider with its own pages for login and consent, where any name and any password do.
//
//   node provider.mjs '{"clientID": "...", "method": "client_secret_basic", "clientSecret": "...", "jwks": {"keys": [...]}, "redirectURIs": [...], "postLogoutURIs": [...],
//     "backChannelLogoutURI": "...", "machines": [{"clientID": "...", "algorithm": "ES256", "jwks": {"keys": [...]}}]}'
//
// where machines are further clients, without people: they may ask for tokens of their own (client_credentials) with private_key_jwt of that algorithm; method is the one way of client authentication that it accepts, and jwks the client's public keys for private_key_jwt.
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
  clients: [...(given.clientID ? [{
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
  }] : []), ...(given.machines ?? []).map(({ clientID, algorithm, jwks }) => ({
    client_id: clientID, jwks, token_endpoint_auth_method: "private_key_jwt", token_endpoint_auth_signing_alg: algorithm,
    grant_types: ["client_credentials"], response_types: [], redirect_uris: [],
  }))],
  enabledJWA: { clientAuthSigningAlgValues: ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"] },
  jwks: { keys: [{ ...key, kid: "k1", use: "sig", alg: "RS256" }] },
  cookies: { keys: [randomBytes(32).toString("hex")] },
  // Its own dispatcher refuses loopback addresses, where back-channel logout has to go here.
  fetch: (url, { dispatcher, ...options }) => fetch(url, options),
  pkce: { required: () => true },
  features: { clientCredentials: { enabled: true }, backchannelLogout: { enabled: true }, devInteractions: { enabled: true }, rpInitiatedLogout: { enabled: true } },
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

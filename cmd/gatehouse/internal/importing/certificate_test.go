// SPDX-License-Identifier: Apache-2.0

package importing_test

// certificate is a CA's, made for this test: openssl req -x509 -newkey ed25519 -nodes -subj /CN=test -days 36500.
const certificate = `-----BEGIN CERTIFICATE-----
MIIBNDCB56ADAgECAhQWlhkOANB3dRN0DUx8nsDrc22XFTAFBgMrZXAwDzENMAsG
A1UEAwwEdGVzdDAgFw0yNjExMjIwODI1MDVaGA8yMTI2MTAyOTA4MjUwNVowDzEN
MAsGA1UEAwwEdGVzdDAqMAUGAytlcAMhALYMcoZyabQ7LCE+DKIH2NonwaistR0z
88wrnVEAKkYro1MwUTAdBgNVHQ4EFgQUI9Oku4pXvN8hVi8s5/g5wnJ8ZMswHwYD
VR0jBBgwFoAUI9Oku4pXvN8hVi8s5/g5wnJ8ZMswDwYDVR0TAQH/BAUwAwEB/zAF
BgMrZXADQQALerYmgVIRPzCR4D8rSEpKFxM4sJ3GDCdUS86iERSSjiNBYZYMmqx/
L/1ugaoicBNA0sWwqdHbLwUbIpq9OhsK
-----END CERTIFICATE-----
`

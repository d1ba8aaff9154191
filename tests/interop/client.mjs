// An independent OAuth client (openid-client, panva) against a running server.
// Standard input: {client, proofs: [algorithm or null], path}; standard output: one line a proof.
import * as oauth from 'openid-client'
import { readFileSync } from 'node:fs'

const { client, proofs, path } = JSON.parse(readFileSync(0, 'utf8'))
const KINDS = {
  ES256: { name: 'ECDSA', namedCurve: 'P-256' },
  PS256: { name: 'RSA-PSS', hash: 'SHA-256' },
  Ed25519: { name: 'Ed25519' },
}

const { alg, kid, use, key_ops, ...jwk } = client.private_jwk
const key = await crypto.subtle.importKey('jwk', jwk, KINDS[alg], false, ['sign'])
const config = await oauth.discovery(
  new URL(client.issuer), client.client_id, undefined, oauth.PrivateKeyJwt({ key, kid }),
  { algorithm: 'oauth2', execute: [oauth.allowInsecureRequests] },
)

for (const proof of proofs) {
  const pair = proof && (await oauth.randomDPoPKeyPair(proof))
  const options = proof ? { DPoP: oauth.getDPoPHandle(config, pair) } : {}
  const tokens = await oauth.clientCredentialsGrant(config, { scope: client.scope }, options)
  const url = new URL(client.issuer + path)
  const ask = () =>
    oauth.fetchProtectedResource(config, tokens.access_token, url, 'GET', null, new Headers(), options)
  const answers = [(await ask()).status, (await ask()).status]
  const seen = await oauth.tokenIntrospection(config, tokens.access_token)
  await oauth.tokenRevocation(config, tokens.access_token)
  const after = await ask().then((answer) => answer.status, (error) => error.status ?? error.cause?.status ?? error.message)
  console.log(JSON.stringify({
    alg, proof, type: tokens.token_type, expires: tokens.expires_in, scope: tokens.scope,
    answers, active: seen.active, bound: Object.keys(seen.cnf ?? {}), after,
  }))
}

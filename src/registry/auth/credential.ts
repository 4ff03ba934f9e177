import type { Secret } from './secret.ts';

/** What a registry or its token server may be shown. */
export type Credential =
  | { readonly kind: 'basic'; readonly username: string; readonly password: Secret }
  /** An OAuth 2 refresh token: for the token server only. */
  | { readonly kind: 'identity'; readonly username: string; readonly token: Secret }
  /** A bearer token, sent to the registry as it is. */
  | { readonly kind: 'bearer'; readonly token: Secret };

/** Finds the credential for a repository; null for an anonymous login. @throws UNAUTHORIZED for a store that is broken */
export type CredentialLookup = (
  host: string,
  repository: string,
  signal: AbortSignal,
) => Promise<Credential | null>;

/** Finds no credential for any repository. */
export const anonymous: CredentialLookup = () => Promise.resolve(null);

/** Returns whether two credentials are the same, so that one that was refused is not tried again. */
export function isSameCredential(one: Credential | null, other: Credential | null): boolean {
  if (one === null || other === null) return one === other;
  if (one.kind === 'bearer') return other.kind === 'bearer' && one.token.equals(other.token);
  if (one.kind !== other.kind || one.username !== other.username) return false;
  return secretOf(one).equals(secretOf(other));
}

/** Returns the password or the token of a credential. */
export function secretOf(credential: Credential): Secret {
  return credential.kind === 'basic' ? credential.password : credential.token;
}

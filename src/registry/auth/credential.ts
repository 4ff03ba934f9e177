/** What a registry, or its token server, may be shown. */
export type Credential =
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  /** An OAuth 2 refresh token: good for the token server only. */
  | { readonly kind: 'identity'; readonly username: string; readonly token: string }
  /** A bearer token to be sent as it is. */
  | { readonly kind: 'bearer'; readonly token: string };

/** Finds the credential for a repository; null means: try without. @throws UNAUTHORIZED when a store is broken. */
export type CredentialLookup = (
  host: string,
  repository: string,
  signal: AbortSignal,
) => Promise<Credential | null>;

export const anonymous: CredentialLookup = () => Promise.resolve(null);

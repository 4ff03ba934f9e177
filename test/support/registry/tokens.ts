/**
 * The Bearer tokens of the fake registry and the token server that issues them. Options are the ways in which real
 * token servers differ.
 */
import { randomUUID } from 'node:crypto';
import type { Recorded, Reply } from './exchange.ts';

/** How the registry and its token server behave. */
export interface TokenAuth {
  readonly kind: 'bearer';
  /** The user that may pull; null for anonymous pulls. */
  readonly username: string | null;
  readonly password: string | null;
  /** The lifetime of a token in seconds. */
  readonly lifetime: number;
  readonly tokens: Map<string, { readonly scopes: readonly string[]; readonly until: number }>;
  readonly now: () => number;
  /** Repositories that even the right password does not open. */
  readonly closed: readonly string[];
  /** The refresh token that POST takes; null for a server without POST. */
  readonly refreshToken: string | null;
  /** The status of a POST, where the server has none. */
  readonly noPost: number;
  /** Which of several scopes it looks at. */
  readonly scopes: 'all' | 'first' | 'last';
  /** Actions that it cannot parse. */
  readonly unknownActions: readonly string[];
}

export function tokenAuth(options: Partial<TokenAuth> = {}): TokenAuth {
  return {
    kind: 'bearer',
    username: null,
    password: null,
    lifetime: 300,
    tokens: new Map(),
    now: () => Date.now(),
    closed: [],
    refreshToken: null,
    noPost: 405,
    scopes: 'all',
    unknownActions: [],
    ...options,
  };
}

/** Returns a refusal, or null when the request may pass. */
export function authorize(
  request: Recorded,
  auth:
    | { readonly kind: 'none' }
    | { readonly kind: 'basic'; readonly username: string; readonly password: string }
    | TokenAuth,
  tokenOrigin: () => string,
): Reply | null {
  const given = request.headers.authorization;
  switch (auth.kind) {
    case 'none':
      return null;
    case 'basic': {
      const wanted = `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}`;
      if (given === wanted) return null;
      return unauthorized('Basic realm="fake, and \\"quoted\\"", Negotiate');
    }
    case 'bearer': {
      const { repository, action, from } = need(request);
      const token = auth.tokens.get((given ?? '').replace(/^Bearer /, ''));
      const alive = token !== undefined && token.until > auth.now();
      const scopes = alive ? token.scopes : [];
      if (alive && repository === null) return null;
      const has = (name: string, wanted: string): boolean =>
        scopes.some(
          (scope) =>
            scope.startsWith(`repository:${name}:`) &&
            scope
              .slice(scope.lastIndexOf(':') + 1)
              .split(',')
              .includes(wanted),
        );
      if (repository !== null && has(repository, action) && (from === null || has(from, 'pull'))) return null;
      const scope =
        repository === null
          ? ''
          : `,scope="repository:${repository}:${action === 'pull' ? 'pull' : 'pull,push'}"`;
      const error = given === undefined ? '' : `,error="${alive ? 'insufficient_scope' : 'invalid_token'}"`;
      return unauthorized(`Bearer realm="${tokenOrigin()}/token",service="fake"${scope}${error}`);
    }
  }
}

function need(request: Recorded): {
  readonly repository: string | null;
  readonly action: 'pull' | 'push';
  readonly from: string | null;
} {
  const url = new URL(request.path, 'http://fake');
  const repository = /^\/v2\/(.+?)\/(?:blobs|manifests|referrers)\//.exec(url.pathname)?.[1] ?? null;
  const action = request.method === 'GET' || request.method === 'HEAD' ? 'pull' : 'push';
  return { repository, action, from: url.searchParams.get('from') };
}

function unauthorized(challenge: string): Reply {
  const body = JSON.stringify({
    errors: [{ code: 'UNAUTHORIZED', message: 'authentication required', detail: null }],
  });
  return {
    status: 401,
    headers: { 'www-authenticate': challenge, 'content-type': 'application/json' },
    body,
  };
}

/** Answers a request for a token. */
export function issueToken(request: Recorded, auth: TokenAuth): Reply {
  const url = new URL(request.path, 'http://fake');
  const form = new URLSearchParams(request.body.toString());
  let proven = false;
  let asked: readonly string[];
  if (request.method === 'POST') {
    if (auth.refreshToken === null) return { status: auth.noPost, body: 'no' };
    if (form.get('refresh_token') !== auth.refreshToken)
      return { status: 401, body: '{"details":"bad refresh token"}' };
    proven = true;
    asked = (form.get('scope') ?? '').split(' ');
  } else {
    const given = request.headers.authorization;
    const wanted = `Basic ${Buffer.from(`${auth.username ?? ''}:${auth.password ?? ''}`).toString('base64')}`;
    if (given !== undefined && (auth.username === null || given !== wanted)) {
      return {
        status: 401,
        headers: { 'content-type': 'application/json' },
        body: '{"details":"incorrect username or password"}',
      };
    }
    proven = given !== undefined;
    asked = url.searchParams.getAll('scope');
  }
  if (asked.some((scope) => auth.unknownActions.some((action) => scope.includes(action))))
    return { status: 400, body: '{"error":"could not parse scope"}' };
  const seen = auth.scopes === 'all' ? asked : auth.scopes === 'first' ? asked.slice(0, 1) : asked.slice(-1);
  const granted = seen
    .filter((scope) => !auth.closed.some((name) => scope.startsWith(`repository:${name}:`)))
    .map((scope) => (proven || auth.username === null ? scope : scope.replace(/:[^:]*$/, ':')));
  const token = randomUUID();
  auth.tokens.set(token, { scopes: granted, until: auth.now() + auth.lifetime * 1000 });
  return {
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token, expires_in: auth.lifetime }),
  };
}

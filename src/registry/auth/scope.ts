/** The rights that a request needs. */
export interface Access {
  /** Empty where `actions` is `list`. */
  readonly repository: string;
  /** `list`: the names of the registry's repositories. */
  readonly actions: 'pull' | 'pull,push' | 'list';
  /** Another repository of the same registry that a blob is mounted from. */
  readonly from: string | null;
}

/** Returns the scopes of an access (distribution, "Token Scope Documentation"), that of its own repository first. */
export function scopesOf({ repository, actions, from }: Access): readonly string[] {
  if (actions === 'list') return ['registry:catalog:*'];
  const own = `repository:${repository}:${actions}`;
  return from === null ? [own] : [own, `repository:${from}:pull`];
}

/** The most scopes that a registry may ask for. */
const mostScopes = 8;

/**
 * Returns the scopes that a challenge asked for together with those that the request needs: one scope a resource, the
 * challenge's first, because some registries look at the first scope only.
 */
export function mergeScopes(asked: string | null, needed: readonly string[]): readonly string[] {
  const merged = new Map<string, Set<string>>();
  for (const scope of [...(asked ?? '').split(' '), ...needed]) {
    const colon = scope.lastIndexOf(':');
    if (colon <= 0) continue;
    const resource = scope.slice(0, colon);
    const actions = merged.get(resource) ?? new Set<string>();
    for (const action of scope.slice(colon + 1).split(',')) actions.add(action);
    merged.set(resource, actions);
  }
  return [...merged]
    .slice(0, mostScopes + needed.length)
    .map(([resource, actions]) => `${resource}:${[...actions].join(',')}`);
}

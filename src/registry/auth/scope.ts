/** What a request needs the right for. */
export interface Access {
  readonly repository: string;
  readonly actions: 'pull' | 'pull,push';
  /** Another repository of the same registry that blobs are mounted from. */
  readonly from: string | null;
}

/** The scopes of an access (distribution, "Token Scope Documentation"): its own repository first. */
export function scopesOf({ repository, actions, from }: Access): readonly string[] {
  const own = `repository:${repository}:${actions}`;
  return from === null ? [own] : [own, `repository:${from}:pull`];
}

const most = 8;

/**
 * What a challenge asked for, with what the request needs: one scope a resource, the challenge's first, because some
 * registries look at the first scope only.
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
    .slice(0, most + needed.length)
    .map(([resource, actions]) => `${resource}:${[...actions].join(',')}`);
}

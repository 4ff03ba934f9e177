/** Names in registries (distribution-spec, "Pulling manifests"; grammar of distribution/reference). */
const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const repositoryPattern = new RegExp(`^${component}(?:/${component})*$`);
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;

/** Returns whether a registry can have a repository of this name, at most 255 characters. */
export function isRepository(text: string): boolean {
  return text.length <= 255 && repositoryPattern.test(text);
}

/** Returns whether a registry can have a tag of this name, at most 128 characters. */
export function isTag(text: string): boolean {
  return tagPattern.test(text);
}

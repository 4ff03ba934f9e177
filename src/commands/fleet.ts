/** Runs `fleet plan`: lists what registries have, and yields a row for each image that is meant. The command line writes the rows. */
import { utf8Bytes } from '../bytes/bytes.ts';
import { cleanPath } from '../bytes/path.ts';
import { OcislimError } from '../errors.ts';
import { type FleetSource, parseFleetSource } from '../fleet/index.ts';
import { type FleetRegistry, type PlannedImage, planFleet } from '../jobs/fleet/plan-fleet.ts';
import { listRepositories, listTags } from '../registry/listings.ts';
import { createKeepMatcher, parseRule } from '../rules/rules.ts';
import type { FleetSettings } from '../settings/tables/fleet.ts';
import type { Surroundings } from './surroundings.ts';
import { Workspace } from './workspace.ts';

/**
 * Yields a row for each image that is meant, in order, and what could not be planned, which is told as a warning. @throws USAGE without a source, and what ends
 * everything
 */
export async function* planFleetOf(
  named: readonly string[],
  settings: FleetSettings,
  surroundings: Surroundings,
): AsyncGenerator<PlannedImage> {
  const sources = sourcesOf(named, settings.from);
  await using workspace = new Workspace({ ...settings, ...unused }, surroundings);
  const { limits, signal, listener } = workspace;
  const { newest, since, platform: platforms } = settings;
  const wish = { sources, ...matchersOf(settings), newest, since, platforms };
  for await (const image of planFleet(wish, { registry: registryOf(workspace), limits, signal })) {
    if (image.kind === 'left-out')
      listener({ type: 'warning', code: 'FLEET_LEFT_OUT', message: `${image.name}: ${image.reason}` });
    if (image.kind === 'failed')
      listener({ type: 'warning', code: 'FLEET_FAILED', message: failureOf(image) });
    signal.throwIfAborted();
    yield image;
  }
}

function failureOf({ name, error }: Extract<PlannedImage, { kind: 'failed' }>): string {
  const { message, advice } = error;
  const named = message.includes(name) ? message : `${name}: ${message}`;
  return advice === undefined ? named : `${named}. ${advice}`;
}

function registryOf(workspace: Workspace): FleetRegistry {
  const { registryOptions } = workspace;
  return {
    repositories: (host, signal) => listRepositories(host, registryOptions, signal),
    tags: (host, repository, signal) => listTags({ host, repository }, registryOptions, signal),
    open: (reference) => workspace.openOneOfMany(reference),
  };
}

/** What a workspace reads of settings, and lists do not need. */
const unused = { maxScratch: 0, cacheDir: null, cacheSize: 0, jobs: null } as const;

function sourcesOf(named: readonly string[], listed: readonly FleetSource[]): readonly FleetSource[] {
  const found = [...named.map(parseFleetSource), ...listed];
  if (found.length > 0) return found;
  throw new OcislimError('USAGE', 'fleet plan needs a registry, a repository or an image', {
    advice: 'ocislim fleet plan registry.example/team -o plan.ndjson',
  });
}

function matchersOf({ include, exclude, tags }: Pick<FleetSettings, 'include' | 'exclude' | 'tags'>) {
  const matcher = (globs: readonly string[], option: string) => {
    const match = createKeepMatcher(globs.map((glob) => parseRule(glob, option)));
    return (name: string) => match(cleanPath(utf8Bytes(name))) !== null;
  };
  const [included, excluded, tagged] = [
    matcher(include, '--include'),
    matcher(exclude, '--exclude'),
    matcher(tags, '--tags'),
  ];
  return {
    isRepositoryMeant: (name: string) => (include.length === 0 || included(name)) && !excluded(name),
    isTagMeant: (tag: string) => tags.length === 0 || tagged(tag),
  };
}

/**
 * Checks of a result before it is published: the command of --verify-with, and the run of `slim --record`. The whole result is written to a
 * layout under TMPDIR, the check looks at it, and from there it is copied to the target.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { at, OcislimError } from '../errors.ts';
import type { SealedLayer } from '../layers/index.ts';
import { identity, run, type RunOptions, type RunOutcome } from '../jobs/rewrite/run.ts';
import type { Digest } from '../oci/digest.ts';
import { formatReference, type Reference } from '../oci/reference.ts';
import { systemCode } from '../files/file-error.ts';
import { JoinedSource } from '../place/joined-source.ts';
import { type Adoption, mountOf, type Source, type Target } from '../place/place.ts';
import { makeTemporaryFolder } from '../files/temporary.ts';
import { PlainLayout } from './plain-layout.ts';
import { runShell } from './shell-command.ts';
import type { Workspace } from './workspace.ts';

const tag = 'image';

/** Looks at a result in a layout of this disk, whose image has this digest. @throws what keeps the result from being published */
export type Check = (place: LayoutReference, digest: Digest) => Promise<void>;

type LayoutReference = Extract<Reference, { readonly kind: 'layout' }>;

/**
 * Runs a job with a check between writing and publishing. Blobs that the source's registry has are still mounted.
 * @throws what the check and whatever runs throw
 */
export async function runChecked(
  options: RunOptions & { readonly target: Target },
  check: Check,
  workspace: Workspace,
): Promise<RunOutcome> {
  const { target } = options;
  await using cleanup = new AsyncDisposableStack();
  const folder = cleanup.adopt(await makeTemporaryFolder('verify'), (path) =>
    rm(path, { recursive: true, force: true }),
  );
  const place = { kind: 'layout', path: join(folder, 'layout'), tag, digest: null, position: null } as const;
  const first = await writeLayout(options, place, workspace);
  const digest = first.root?.descriptor.digest;
  if (digest === undefined) throw new OcislimError('INTERNAL', 'nothing was written to verify');
  await check(place, digest);
  // What is stated about the result is about the first run: the second one only copies it.
  const { attach = null } = options;
  const stated = attach === null ? null : (_: RunOutcome, to: Target) => attach(first, to);
  const second = await publishLayout({ ...options, attach: stated }, { place, first }, workspace);
  if (second.root?.descriptor.digest !== digest)
    throw new OcislimError('INTERNAL', `${target.label} has another image than the one verified, ${digest}`);
  return settle(first, second);
}

/** Writes the whole result into a layout on this disk. */
async function writeLayout(options: RunOptions, place: Reference, workspace: Workspace): Promise<RunOutcome> {
  await using layout = await workspace.openTarget([place]);
  try {
    const { target } = options;
    const like = target?.layerFormat === 'plain' ? new PlainLayout(layout) : layout;
    // What is about the source and the result goes to the destination, and not to this disk.
    const referrers = options.referrers === 'copy' ? 'later' : (options.referrers ?? 'drop');
    const family = target?.family ?? null;
    return await run({ ...options, target: like, family, referrers, attach: null });
  } catch (error) {
    throw withAdvice(error);
  }
}

/** Copies the verified result to the target, without a transform. */
async function publishLayout(
  options: RunOptions,
  { place, first }: { readonly place: Reference; readonly first: RunOutcome },
  workspace: Workspace,
): Promise<RunOutcome> {
  await using result = await workspace.openResult(place);
  const found = first.artifacts.map(({ artifact }) => artifact);
  // Awaited here: a promise that is returned as it is would be settled after the layout is closed.
  return await run({
    ...options,
    source: new VerifiedSource(result, options.source),
    transform: identity,
    platforms: [],
    platformsOfIndex: [],
    cache: null,
    requireSavings: null,
    variant: null,
    examine: null,
    referrers: options.referrers === 'copy' ? 'copy' : 'drop',
    carried: { set: first.set, found, source: options.source, alone: false },
  });
}

/** Adds where the full disk is: the error itself names no place. */
function withAdvice(error: unknown): unknown {
  if (!(error instanceof OcislimError) || systemCode(error.cause) !== 'ENOSPC') return error;
  return new OcislimError(error.code, error.message, {
    cause: error.cause,
    advice: 'What --verify-with looks at needs room in TMPDIR: set it to a folder on a larger disk.',
  });
}

/** The verified layout. Blobs that the source of the run has too can be mounted from there. */
class VerifiedSource extends JoinedSource {
  readonly #origin: Source;

  constructor(result: Source, origin: Source) {
    super(result, new Map());
    this.#origin = origin;
  }

  override get label(): string {
    return this.#origin.label;
  }

  override get mountable(): Source['mountable'] {
    return this.#origin.mountable;
  }

  override mountableOf(digest: Digest): Source['mountable'] {
    return mountOf(this.#origin, digest);
  }
}

/** Returns the check of --verify-with: a shell command, to which variables name the result. */
export function checkBy(command: string, workspace: Workspace): Check {
  return async (place, digest) => {
    workspace.pauseOutput();
    const env = {
      ...workspace.env,
      OCISLIM_LAYOUT: place.path,
      OCISLIM_REFERENCE: formatReference(place),
      OCISLIM_DIGEST: digest,
    };
    await runAsGate(command, env, workspace.signal);
  };
}

/** Runs the command as a gate. @throws GATE where it fails, IO, the signal's reason */
async function runAsGate(
  command: string,
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<void> {
  const end = await runShell({ command, env, signal }).catch((error: unknown) => {
    signal.throwIfAborted();
    throw at('--verify-with', error);
  });
  if (end.status === 0) return;
  const how =
    end.status === null ? `was ended by ${end.signal ?? 'a signal'}` : `ended with status ${end.status}`;
  throw new OcislimError('GATE', `--verify-with: the command ${how}; nothing was published`);
}

/** Joins two outcomes: the first run knows how the layers were made, the second how they got to the target. */
function settle(first: RunOutcome, second: RunOutcome): RunOutcome {
  const adoptions = new Map<Digest, Adoption>();
  for (const { sealed } of second.images.flatMap(({ layers }) => layers))
    if (sealed?.kind === 'unchanged') adoptions.set(sealed.blob.digest, sealed.adoption);
  const arrive = (layer: SealedLayer): SealedLayer => {
    if (layer.kind === 'dropped') return layer;
    const adoption = adoptions.get(layer.blob.digest);
    if (layer.kind === 'unchanged') return adoption === undefined ? layer : { ...layer, adoption };
    if (adoption === 'present') return { ...layer, kind: 'recalled', from: 'target' };
    return layer.kind === 'recalled' ? { ...layer, from: 'cache' } : layer;
  };
  const isRow = ({ artifact }: RunOutcome['artifacts'][number]) => artifact.by === 'row';
  return {
    ...first,
    artifacts: [...second.artifacts.filter((each) => !isRow(each)), ...first.artifacts.filter(isRow)],
    images: first.images.map((image) => ({
      ...image,
      layers: image.layers.map((layer) => ({
        ...layer,
        sealed: layer.sealed === null ? null : arrive(layer.sealed),
      })),
    })),
  };
}

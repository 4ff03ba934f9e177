import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { OcislimError } from '../../errors.ts';
import type { SealedLayer } from '../../layers/write/layer-writer.ts';
import { identity, run, type RunOptions, type RunOutcome } from '../../jobs/rewrite/run.ts';
import type { Digest } from '../../oci/digest.ts';
import { formatReference } from '../../oci/reference.ts';
import { systemCode } from '../../files/file-error.ts';
import { JoinedSource } from '../../place/joined-source.ts';
import type { Source, Target } from '../../place/place.ts';
import { makeTemporaryFolder } from '../../files/temporary.ts';
import type { Console } from '../command.ts';
import type { Session } from '../session.ts';

const tag = 'image';

/**
 * A run with the user's own check before anything is published: the whole result goes into a layout under TMPDIR, the
 * command looks at it, and from there it goes to the target; what the source's registry has is mounted as ever.
 * @throws GATE where the command fails, UNSUPPORTED, and whatever runs throw
 */
export async function runVerified(
  options: Omit<RunOptions, 'target'>,
  target: Target,
  command: string,
  session: Session,
  console: Console,
): Promise<RunOutcome> {
  const { signal } = options;
  if (target.layerFormat === 'plain') {
    throw new OcislimError('UNSUPPORTED', '--verify-with cannot write what "docker load" reads', {
      advice: 'Its layers are packed otherwise than those verified. Write to oci-archive:FILE, then copy.',
    });
  }
  const folder = await makeTemporaryFolder('verify');
  try {
    const place = { kind: 'layout', path: join(folder, 'layout'), tag, digest: null } as const;
    const layout = await session.openTarget([place]);
    let first: RunOutcome;
    try {
      first = await run({ ...options, target: layout }).catch((error: unknown) => {
        throw withAdvice(error);
      });
    } finally {
      await layout.close();
    }
    const digest = first.root?.descriptor.digest;
    if (digest === undefined) throw new OcislimError('INTERNAL', 'nothing was written to verify');
    session.pauseProgress();
    const env = {
      ...console.env,
      OCISLIM_LAYOUT: place.path,
      OCISLIM_REFERENCE: formatReference(place),
      OCISLIM_DIGEST: digest,
    };
    await check(command, env, signal);
    const result = await session.openResult(place);
    try {
      const source = new VerifiedSource(result, options.source);
      const second = await run({
        ...options,
        source,
        target,
        transform: identity,
        platforms: [],
        platformsOfIndex: [],
        cache: null,
        requireSavings: null,
      });
      if (second.root?.descriptor.digest !== digest)
        throw new OcislimError(
          'INTERNAL',
          `${target.label} has another image than the one verified, ${digest}`,
        );
      return settle(first, second);
    } finally {
      await result.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Nobody has named the place that is full. */
function withAdvice(error: unknown): unknown {
  if (!(error instanceof OcislimError) || systemCode(error.cause) !== 'ENOSPC') return error;
  return new OcislimError(error.code, error.message, {
    cause: error.cause,
    advice: 'What --verify-with looks at needs room in TMPDIR: set it to a folder on a larger disk.',
  });
}

/** What was verified, on this disk; blobs that the source of the run has can be mounted from there. */
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
}

/** Its stdout goes to stderr, since ours is the result's. An interruption is passed on, and waits for its end. */
async function check(
  command: string,
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  const child = spawn('/bin/sh', ['-c', command], { env: { ...env }, stdio: ['ignore', 2, 2] });
  const interrupt = () => void child.kill('SIGINT');
  signal.addEventListener('abort', interrupt);
  try {
    const [status, killed] = await new Promise<readonly [number | null, NodeJS.Signals | null]>(
      (resolve, reject) => {
        child.on('error', reject);
        child.on('close', (code, by) => resolve([code, by]));
      },
    );
    signal.throwIfAborted();
    if (status === 0) return;
    const how = status === null ? `was ended by ${killed ?? 'a signal'}` : `ended with status ${status}`;
    throw new OcislimError('GATE', `--verify-with: the command ${how}; nothing was published`);
  } catch (error) {
    if (error instanceof OcislimError || signal.aborted) throw error;
    throw new OcislimError('IO', `--verify-with: cannot run a shell: ${(error as Error).message}`, {
      cause: error,
    });
  } finally {
    signal.removeEventListener('abort', interrupt);
  }
}

/** How the layers were made is known from the first writing, how they got to the target from the second. */
function settle(first: RunOutcome, second: RunOutcome): RunOutcome {
  const arrived = new Map<Digest, SealedLayer>();
  for (const { layers } of second.images) for (const layer of layers ?? []) arrived.set(layer.digest, layer);
  const arrive = (layer: SealedLayer): SealedLayer => {
    const adoption = arrived.get(layer.digest)?.adoption ?? null;
    switch (layer.action) {
      case 'present':
      case 'mounted':
      case 'copied':
        return adoption === null ? layer : { ...layer, action: adoption, adoption };
      case 'not-smaller':
        return { ...layer, adoption };
      case 'rewritten':
      case 'recompressed':
        return { ...layer, adoption: adoption === 'present' ? 'present' : null };
      case 'dropped':
        return layer;
    }
  };
  return {
    ...first,
    images: first.images.map((image) => ({ ...image, layers: image.layers?.map(arrive) ?? null })),
  };
}

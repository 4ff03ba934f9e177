import { access, constants, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { createEncoderPool } from '../../codec/encoder-pool.ts';
import { OcislimError } from '../../errors.ts';
import { readImageSet } from '../../jobs/image-set.ts';
import { identity, run, type RunOutcome } from '../../jobs/rewrite/run.ts';
import { type Image, type Transform, withPlan } from '../../image/image.ts';
import type { Selection } from '../../image/selection.ts';
import { parseManifest } from '../../oci/manifest.ts';
import { formatReference, parseReference, type Reference } from '../../oci/reference.ts';
import { buildReport } from '../../report/build.ts';
import { explainPath } from '../../report/keeping.ts';
import type { Report } from '../../report/report.ts';
import { chooseStyle } from '../../report/style.ts';
import type { Source, Target } from '../../place/place.ts';
import { utf8Bytes } from '../../bytes/bytes.ts';
import type { Console } from '../command.ts';
import { flag, list, pairs, text, type Values } from '../options/option.ts';
import type { BaseReader } from '../options/selections.ts';
import { parsePercentOrSize } from '../options/sizes.ts';
import { version } from '../version.ts';
import { Session } from '../session.ts';

/** SOURCE_DATE_EPOCH in seconds. @throws USAGE */
function readEpoch(env: Console['env']): number | null {
  const given = env['SOURCE_DATE_EPOCH'];
  if (given === undefined || given === '') return null;
  if (!/^[0-9]{1,11}$/.test(given))
    throw new OcislimError('USAGE', `SOURCE_DATE_EPOCH is not a number of seconds: ${JSON.stringify(given)}`);
  return Number(given);
}

/** Reads a base image, so that the layers above its own can be selected platform by platform. */
export function baseReader(session: Session): BaseReader {
  return async (name) => {
    const source = await session.openBase(parseReference(name));
    try {
      const { members } = await readImageSet(source, [], session.signal, [], session.limits);
      const bases = members.flatMap(({ image }) => (image === null ? [] : [image]));
      const diffIds = (image: Image) => {
        const same =
          bases.find(
            ({ config }) => JSON.stringify(config.platform) === JSON.stringify(image.config.platform),
          ) ?? (bases.length === 1 ? bases[0] : undefined);
        if (same === undefined)
          throw new OcislimError('BASE_MISMATCH', `${name} has no image for the platform of this one`);
        return same.config.diffIds;
      };
      return { kind: 'base', name, diffIds } satisfies Selection;
    } finally {
      await source.close();
    }
  };
}

/** What a command plans: a transform, and the source to run it on if that is another than the one named. */
type Planned = Transform | { readonly transform: Transform; readonly source: Source };

/** Runs one rewriting command from its options to its result on stdout. Returns the exit status. */
export async function rewrite(
  command: string,
  values: Values,
  console: Console,
  plan: (session: Session, source: Source) => Promise<Planned>,
  squashOrigin = '--squash',
): Promise<number> {
  const sourceReference = parseReference(text(values, 'src') ?? '');
  const references = destinations(values, sourceReference);
  const debugTag = text(values, 'debug-tag');
  const debug =
    debugTag === null || flag(values, 'dry-run')
      ? null
      : (await import('./debug-image.ts')).debugReference(debugTag, references);
  const requireSavings = text(values, 'require-savings');
  const required = requireSavings === null ? null : parsePercentOrSize(requireSavings, '--require-savings');
  if (required?.kind === 'bytes') throw new OcislimError('USAGE', '--require-savings takes a percentage: 5%');
  const epoch = readEpoch(console.env);
  await checkOutputs(values);
  const session = new Session(values, console);
  const cache = await session.openCache();
  const pool = createEncoderPool({ jobs: session.jobs });
  const source = await session.openSource(sourceReference);
  let target: Target | null = null;
  try {
    const planned = await plan(session, source);
    const joined = typeof planned === 'function' ? { transform: planned, source } : planned;
    const transform = withLabels(joined.transform, values);
    target = references.length === 0 ? null : await session.openTarget(references);
    const options = {
      source: joined.source,
      transform,
      platforms: session.platforms,
      platformsOfIndex: session.platformsOfIndex,
      jobs: session.jobs,
      pool,
      maxScratch: session.maxScratch,
      limits: session.limits,
      cache,
      epoch,
      requireSavings: required?.ratio ?? null,
      // Digests of what goes cost a hash of every file: for whom asks for the list.
      digests: list(values, 'report').length > 0 || text(values, 'format') === 'json',
      listener: session.listener,
      signal: session.signal,
    };
    const check = text(values, 'verify-with');
    const outcome =
      check === null || target === null
        ? await run({ ...options, target })
        : await (await import('./verify-with.ts')).runVerified(options, target, check, session, console);
    const [destination] = references;
    const written =
      debug === null || destination === undefined
        ? null
        : await settled(
            (await import('./debug-image.ts')).writeDebugImage(options, outcome, destination, debug, session),
          );
    session.stopProgress();
    const report = buildReport(outcome, {
      tool: { name: 'ocislim', version },
      command,
      sourceReference: source.label,
      destinationReferences: references.map(formatReference),
      warnings: session.warnings,
      squashOrigin,
      debug: written?.value ?? null,
    });
    await tell(report, outcome, target, values, console);
    // The slim image is there: whoever reads stdout gets it, whatever became of the other.
    if (written !== null && written.value === null) throw written.reason;
    return 0;
  } finally {
    session.stopProgress();
    await target?.close();
    await session.close();
    await source.close();
    await pool.close();
    await cache?.close();
  }
}

/** The outcome of something whose failure has to wait. */
async function settled<T>(work: Promise<T>): Promise<{ value: T } | { value: null; reason: unknown }> {
  return work.then(
    (value) => ({ value }),
    (reason: unknown) => ({ value: null, reason }),
  );
}

/** Where the result goes; none for a dry run. @throws USAGE */
function destinations(values: Values, source: Reference): Reference[] {
  const given = [text(values, 'dst'), ...list(values, 'tag')].filter((item) => item !== null);
  const inPlace = flag(values, 'in-place');
  if (inPlace && given.length > 0)
    throw new OcislimError('USAGE', '--in-place writes over the source: it takes no destination');
  const references = given.map((item) => withTag(parseReference(item)));
  if (flag(values, 'dry-run')) return [];
  if (inPlace) {
    refuseInPlace(source);
    return [withTag(source)];
  }
  if (references.length === 0) {
    throw new OcislimError('USAGE', 'where should the new image go?', {
      advice:
        'Name a destination after the source (or -t REF); --in-place writes over the source; --dry-run only shows.',
    });
  }
  const same = references.find((reference) => placeOf(reference) === placeOf(withTag(source)));
  if (same !== undefined)
    throw new OcislimError('USAGE', `the destination ${formatReference(same)} is the source`, {
      advice: source.kind.endsWith('archive')
        ? 'Write to another file.'
        : '--in-place writes over the source.',
    });
  return references;
}

/** @throws USAGE where a source has no name to write to, or more than itself would be written over */
function refuseInPlace(source: Reference): void {
  if (source.kind === 'oci-archive' || source.kind === 'docker-archive') {
    throw new OcislimError(
      'USAGE',
      '--in-place is for registries and layouts: an archive is written as a whole, with all that it holds',
      {
        advice: 'Write to another file.',
      },
    );
  }
  if (source.digest !== null)
    throw new OcislimError(
      'USAGE',
      '--in-place needs a tag to write to, and the source is named by its digest',
    );
  if (source.kind === 'layout' && source.tag === null) {
    throw new OcislimError('USAGE', '--in-place needs a tag to write to', {
      advice: `Name it: ${formatReference(source)}:TAG.`,
    });
  }
}

/** Two references with the same place mean the same image, however they are written. */
function placeOf(reference: Reference): string {
  if (reference.kind === 'registry') return formatReference(reference);
  const path = resolve(reference.path);
  // An archive is written as a whole, whatever the names in it.
  return reference.kind === 'layout' ? formatReference({ ...reference, path }) : path;
}

function withTag(reference: Reference): Reference {
  if (reference.kind !== 'registry') return reference;
  if (reference.digest !== null)
    throw new OcislimError(
      'USAGE',
      `a destination has no digest before it is written: ${formatReference(reference)}`,
    );
  return { ...reference, tag: reference.tag ?? 'latest' };
}

function withLabels(transform: Transform, values: Values): Transform {
  const annotations = pairs(values, 'annotation');
  const labels = pairs(values, 'label');
  if (annotations === null || labels === null)
    throw new OcislimError('USAGE', '--annotation and --label take KEY=VALUE');
  if (Object.keys(annotations).length + Object.keys(labels).length === 0) return transform;
  return (image) => withPlan(transform(image), { labelling: { annotations, labels } });
}

/** What is asked for besides the image is not to fail when the image has been published. @throws USAGE, IO */
async function checkOutputs(values: Values): Promise<void> {
  const reports = list(values, 'report');
  for (const file of reports) {
    if (!/\.(?:json|md)$/.test(file))
      throw new OcislimError('USAGE', `--report ${JSON.stringify(file)}: the name must end in .json or .md`);
  }
  const others = ['digestfile', 'iidfile', 'metadata-file'].flatMap((name) => text(values, name) ?? []);
  for (const file of [...reports, ...others]) {
    try {
      const isThere = await access(file).then(
        () => true,
        () => false,
      );
      await access(isThere ? file : dirname(file), constants.W_OK);
    } catch (cause) {
      throw cannotWrite(file, cause);
    }
  }
}

function cannotWrite(file: string, cause: unknown): OcislimError {
  return new OcislimError('IO', `cannot write ${JSON.stringify(file)}: ${(cause as Error).message}`, {
    cause,
  });
}

async function tell(
  report: Report,
  outcome: RunOutcome,
  target: Target | null,
  values: Values,
  console: Console,
): Promise<void> {
  const { renderJson } = await import('../../report/json.ts');
  const { safeJsonText } = await import('../../report/escape.ts');
  for (const file of list(values, 'report')) {
    const content = file.endsWith('.json')
      ? renderJson(report)
      : (await import('../../report/markdown.ts')).renderMarkdown(report);
    await write(file, content);
  }
  const digest = outcome.root?.descriptor.digest ?? null;
  if (digest !== null && outcome.root !== null) {
    const digestfile = text(values, 'digestfile');
    if (digestfile !== null) await write(digestfile, `${digest}\n`);
    const iidfile = text(values, 'iidfile');
    if (iidfile !== null) await write(iidfile, imageId(outcome));
    const metadata = text(values, 'metadata-file');
    if (metadata !== null) {
      const { mediaType, size } = outcome.root.descriptor;
      const names = report.destination?.references.join(',');
      const content = {
        'containerimage.config.digest': imageId(outcome),
        'containerimage.descriptor': { mediaType, digest, size },
        'containerimage.digest': digest,
        'image.name': names,
      };
      await write(metadata, `${safeJsonText(JSON.stringify(content, null, 2))}\n`);
    }
  }
  await explainPaths(outcome, values, console);
  if (!flag(values, 'quiet')) {
    const { renderSummary } = await import('../../report/summary.ts');
    const style = chooseStyle(console.env, console.stderr.isTTY === true);
    console.stderr.write(
      renderSummary(report, {
        style,
        width: console.stderr.columns ?? 100,
        verbose: flag(values, 'verbose') || report.dryRun,
      }),
    );
  }
  if (text(values, 'format') === 'json') for (const chunk of renderJson(report)) console.stdout.write(chunk);
  else if (digest !== null && target !== null) console.stdout.write(`${target.nameOf(digest)}\n`);
}

async function explainPaths(outcome: RunOutcome, values: Values, console: Console): Promise<void> {
  const paths = list(values, 'explain');
  if (paths.length === 0) return;
  for (const { resolution } of outcome.images)
    for (const closure of resolution.traced)
      for (const path of paths)
        for (const line of explainPath(closure, utf8Bytes(path))) console.stderr.write(`${line}\n`);
}

/** The digest of the config, as Docker has it; of several images, that of the index. */
function imageId(outcome: RunOutcome): string {
  const [only, ...more] = outcome.images;
  if (only?.manifest == null || more.length > 0) return outcome.root?.descriptor.digest ?? '';
  const { bytes, descriptor } = only.manifest;
  const manifest = parseManifest(bytes, descriptor.mediaType, `manifest ${descriptor.digest}`);
  return manifest.kind === 'manifest' ? manifest.config.digest : descriptor.digest;
}

async function write(file: string, content: string | Iterable<string>): Promise<void> {
  try {
    await writeFile(file, content);
  } catch (cause) {
    throw cannotWrite(file, cause);
  }
}

export { identity };

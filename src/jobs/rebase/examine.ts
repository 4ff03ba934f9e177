/**
 * Looks at images on their new bases before anything is written: reads the layers of the image and of both bases once, and compares. The
 * command `rebase` hands it to the run.
 */
import type { LayerIndex } from '../../changeset/layer-index.ts';
import { stackSteps } from '../../changeset/stack.ts';
import { listed } from '../../closure/problem.ts';
import { runtimeOf } from '../../configure/configure.ts';
import { OcislimError } from '../../errors.ts';
import type { Listener } from '../../events.ts';
import { type Image, layerOf, nameOfImage, numbersIn, type Rebased } from '../../image/image.ts';
import type { Gathering } from '../../layers/read/gathering.ts';
import { readRuntime } from '../../oci/runtime.ts';
import { quotePath } from '../../bytes/path.ts';
import { checkRebaseSteps } from '../../rebase/check/check.ts';
import { rebaseProbe } from '../../rebase/check/probe.ts';
import type { View } from '../../rebase/check/view.ts';
import type { HiddenFile, RebaseFindings } from '../../rebase/findings.ts';
import type { LayerFacts } from '../../rootfs/facts/facts.ts';
import { mergeFacts } from '../../rootfs/facts/merged-facts.ts';
import { type Filesystem, mergeStack } from '../../rootfs/filesystem.ts';
import { inTurns } from '../../steps.ts';
import { mapParallel } from '../../stream/parallel.ts';
import { largestFirst } from '../rewrite/largest-first.ts';
import type { Examine } from '../rewrite/run.ts';

/** What to do about what is missing. */
export interface ExamineOptions {
  /** Whether what is missing is only warned of. */
  readonly force: boolean;
  /** Whether to leave the refusal to the report, which a dry run has. */
  readonly dryRun: boolean;
  /** The name of the new base, for messages. */
  readonly base: string;
}

/** Contents of package databases and programs: everything that tells whether a file finds what it needs, and whether two files are the same. */
const gathering: Gathering = { probe: rebaseProbe, digests: true, twins: false, sources: false };

/** Makes what examines images. @throws BASE_UNFIT where something is missing, unless that is forced */
export function examineRebased(options: ExamineOptions): Examine {
  return async (resolved, means) => {
    const { image } = resolved;
    const { rebased } = image;
    if (rebased === null) return resolved;
    const rebasing = await compare(image, rebased, means);
    warnOfHidden(nameOfImage(image), rebasing.hidden, means.listener);
    const { lacks } = rebasing;
    if (lacks.length > 0 && !options.force && !options.dryRun) throw refusalOfBase(image, rebasing, options);
    if (options.force)
      for (const { sentence } of lacks)
        means.listener({
          type: 'warning',
          code: 'FORCED',
          message: `${nameOfImage(image)} may not run on ${options.base}: ${sentence}`,
        });
    return { ...resolved, rebasing };
  };
}

/** Makes the error for a base that lacks something. */
function refusalOfBase(
  image: Image,
  { lacks }: RebaseFindings,
  { base }: Pick<ExamineOptions, 'base'>,
): OcislimError {
  const [advice = '', ...others] = new Set(lacks.map((lack) => lack.advice));
  const first =
    others.length === 0
      ? advice
      : 'Choose a base that has all of this, or build the image again on the new one.';
  return new OcislimError(
    'BASE_UNFIT',
    `${nameOfImage(image)} would not work on ${base} as it did:${listed(lacks)}`,
    {
      advice: `${first} --force rebases all the same; --dry-run --report FILE.json lists every file.`,
    },
  );
}

/** The headers and facts of some layers, by number. */
interface Read {
  readonly indexes: ReadonlyMap<number, LayerIndex>;
  readonly facts: ReadonlyMap<number, LayerFacts>;
}

async function compare(
  image: Image,
  rebased: Rebased,
  means: Parameters<Examine>[1],
): Promise<RebaseFindings> {
  const before = await readAll(rebased.source, means);
  const after = await readAll(image, means);
  const layers = { from: rebased.from.config.diffIds.length, to: rebased.to.config.diffIds.length };
  const prints = new Map<Filesystem, Read>();
  const viewOf = async (read: Read, upTo: number, runtime: View['runtime']): Promise<View> => {
    const indexes = new Map([...read.indexes].filter(([number]) => number <= upTo));
    const fs = mergeStack(await inTurns(stackSteps(indexes), means.signal), indexes);
    prints.set(fs, read);
    return { fs, facts: mergeFacts(fs, read.facts), runtime };
  };
  const steps = checkRebaseSteps({
    source: await viewOf(before, before.indexes.size, readRuntime(rebased.source.config)),
    from: await viewOf(before, layers.from, readRuntime(rebased.from.config)),
    to: await viewOf(after, layers.to, readRuntime(rebased.to.config)),
    result: await viewOf(after, after.indexes.size, runtimeOf(image)),
    layers,
    printOf: (fs, path) => {
      const carrier = fs.carrier(path);
      const facts = carrier === null ? undefined : prints.get(fs)?.facts.get(carrier.layer);
      return carrier === null ? null : (facts?.digests.get(carrier.entry) ?? null);
    },
  });
  return inTurns(steps, means.signal);
}

/** Reads all layers of an image, the largest first. The reader has those that two images share already. */
async function readAll(image: Image, { reader, jobs, signal }: Parameters<Examine>[1]): Promise<Read> {
  const count = image.manifest.layers.length;
  const numbers = count === 0 ? [] : numbersIn({ from: 1, to: count });
  const order = largestFirst(numbers, (number) => layerOf(image, number).descriptor.size);
  const scans = await mapParallel(order, jobs, signal, async (number, _, inner) => ({
    number,
    ...(await reader.scan(image, number, gathering, inner)),
  }));
  const sorted = scans.toSorted((a, b) => a.number - b.number);
  return {
    indexes: new Map(sorted.map(({ number, index }) => [number, index])),
    facts: new Map(sorted.map(({ number, facts }) => [number, facts])),
  };
}

/** The most files that a warning names. */
const shown = 5;

/** Files that decide about more than themselves: they are named first. */
const weighty = /^etc\/|\.so(?:\.\d+)*$|\/ca-certificates\.crt$/;

/** Warns of files of the new base that stay hidden. What the application deletes or brings along is not wrong in itself. */
function warnOfHidden(name: string, hidden: readonly HiddenFile[], listener: Listener): void {
  if (hidden.length === 0) return;
  const sorted = [
    ...hidden.filter(({ path }) => weighty.test(path)),
    ...hidden.filter(({ path }) => !weighty.test(path)),
  ];
  const told = sorted.slice(0, shown).map(({ path, how }) => `${quotePath(path)} (${words[how]})`);
  const rest = hidden.length - told.length;
  const more = rest > 0 ? ` and ${rest} more` : '';
  const files = hidden.length === 1 ? 'a file' : `${hidden.length} files`;
  listener({
    type: 'warning',
    code: 'BASE_HIDDEN',
    message: `${name}: layers of the application hide ${files} of the new base: ${told.join(', ')}${more}`,
  });
}

const words: Readonly<Record<HiddenFile['how'], string>> = {
  outdated: 'made from that of the old base',
  replaced: 'its own file of that name',
  deleted: 'deleted',
};

/**
 * Puts an analysis together from what a scan has read. `jobs/analyze` calls it; each part is a file of this room.
 */
import { utf8Bytes } from '../bytes/bytes.ts';
import type { Image } from '../image/image.ts';
import { readRuntime } from '../oci/runtime.ts';
import type { LayerFacts } from '../rootfs/facts/facts.ts';
import { mergeFacts } from '../rootfs/facts/merged-facts.ts';
import type { Filesystem } from '../rootfs/filesystem.ts';
import { componentsOf } from '../rootfs/packages/component-index.ts';
import { packagesOf } from '../rootfs/packages/package-index.ts';
import { isRoot } from '../rootfs/surface/surface.ts';
import { secretVariables } from '../rootfs/surface/secrets.ts';
import { surveyFiles } from '../rootfs/surface/survey.ts';
import { itemsPerStep, type Steps } from '../steps.ts';
import type { Analysis, AnalyzedSurface, Savings, Totals } from './analysis.ts';
import { describeImage, describeLayers } from './describe-image.ts';
import { diveSteps } from './dive.ts';
import { type Duplicates, duplicateSteps } from './duplicates.ts';
import type { LayeredImage } from './entries.ts';
import { findSteps } from './findings/all.ts';
import type { FindingContext } from './findings/finding.ts';
import { type SecretFile, secretFileSteps } from './findings/secret-files.ts';
import { readInstruction, rowsOfLayers } from './instruction.ts';
import {
  type Largest,
  largestDirectorySteps,
  largestFileSteps,
  type VisibleSizes,
  visibleSizeSteps,
} from './largest.ts';
import { packageSizeSteps } from './package-sizes.ts';

/** A scanned image to be analyzed. */
export interface AnalysisInput extends LayeredImage {
  readonly image: Image;
  /** The reference as the user wrote it. */
  readonly name: string;
  readonly fs: Filesystem;
  /** By layer number. */
  readonly layerFacts: ReadonlyMap<number, LayerFacts>;
  /** Whether only headers have been read: there are no facts, and the parts that need some stay empty. */
  readonly quick: boolean;
  /** What each command would save; null where samples were not asked for. */
  readonly savings: Savings | null;
}

/** What is told of the largest paths: some pages of them. */
const largest: Largest = { count: 100, leastBytes: 1 };

/** Analyzes an image. @throws whatever the algebra of layers throws */
export function* analysisSteps(input: AnalysisInput): Steps<Analysis> {
  const { image, stack, indexes, quick, savings } = input;
  const { numbers, layerBytes } = yield* diveSteps(stack.table, indexes);
  const shadowed = yield* shadowedSteps(input);
  const sizes = yield* visibleSizeSteps(input);
  const deep = quick ? null : yield* deepSteps(input);
  const layers = describeLayers(
    image,
    indexes,
    layerBytes.map((diveBytes, i) => ({
      shadowedBytes: shadowed[i] as number,
      duplicateBytes: deep?.duplicates.bytes[i] ?? 0,
      diveBytes,
    })),
  );
  return {
    image: describeImage(image, input.name),
    layers,
    totals: totalsOf(layers, sizes),
    dive: numbers,
    findings: deep?.findings ?? [],
    largestFiles: yield* largestFileSteps(input, sizes, largest),
    largestDirectories: yield* largestDirectorySteps(input, sizes, largest),
    packages: deep?.packages ?? [],
    unreadDatabases: deep?.unreadDatabases ?? [],
    surface: deep?.surface ?? null,
    savings,
  };
}

/** Adds up the lost bytes of each layer, the lowest first. */
function* shadowedSteps({ indexes, fates }: LayeredImage): Steps<readonly number[]> {
  const sums: number[] = [];
  for (let number = 1; number <= indexes.size; number++) {
    const sizes = indexes.get(number)?.sizes ?? [];
    const lost = fates.layers.get(number)?.lost ?? [];
    let bytes = 0;
    for (let entry = 0; entry < lost.length; entry++) {
      if (entry % itemsPerStep === itemsPerStep - 1) yield;
      if (lost[entry] === 1) bytes += sizes[entry] as number;
    }
    sums.push(bytes);
    yield;
  }
  return sums;
}

function totalsOf(layers: Analysis['layers'], { bytes, files, directories }: VisibleSizes): Totals {
  const sum = (of: (layer: Analysis['layers'][number]) => number) =>
    layers.reduce((total, layer) => total + of(layer), 0);
  return {
    transferBytes: sum(({ transferBytes }) => transferBytes),
    tarBytes: sum(({ tarBytes }) => tarBytes),
    contentBytes: sum(({ contentBytes }) => contentBytes),
    visibleFiles: files[0] ?? 0,
    visibleDirectories: directories,
    visibleBytes: bytes[0] ?? 0,
    reclaimableBytes: sum(({ shadowedBytes }) => shadowedBytes),
    duplicateBytes: sum(({ duplicateBytes }) => duplicateBytes),
  };
}

/** The parts of an analysis that need more than headers. */
interface DeepAnalysis extends Pick<Analysis, 'findings' | 'packages' | 'unreadDatabases' | 'surface'> {
  readonly duplicates: Duplicates;
}

function* deepSteps(input: AnalysisInput): Steps<DeepAnalysis> {
  const { image, fs, layerFacts } = input;
  const facts = mergeFacts(fs, layerFacts);
  const packages = packagesOf({ fs, facts });
  yield;
  const prints = new Map([...layerFacts].map(([layer, own]) => [layer, own.prints]));
  const duplicates = yield* duplicateSteps({ ...input, prints });
  const measured = yield* packageSizeSteps(fs, componentsOf({ fs, facts }));
  const context: Omit<FindingContext, 'secretFiles'> = {
    ...input,
    facts,
    prints,
    packages,
    duplicates,
    contents: (layer, entry) => layerFacts.get(layer)?.contents.get(entry) ?? null,
    instructions: rowsOfLayers(image.config.history, input.indexes.size).map((row) =>
      row?.createdBy == null ? null : readInstruction(row.createdBy),
    ),
  };
  const secretFiles = yield* secretFileSteps(context);
  return {
    findings: yield* findSteps({ ...context, secretFiles }),
    packages: measured,
    unreadDatabases: packages.unread,
    surface: surfaceOf(input, secretFiles),
    duplicates,
  };
}

function surfaceOf({ image, fs }: AnalysisInput, secretFiles: readonly SecretFile[]): AnalyzedSurface {
  const { environment, user } = readRuntime(image.config);
  return {
    files: surveyFiles(fs, utf8Bytes(environment.get('PATH') ?? '')),
    isRoot: isRoot(user),
    secretVariables: secretVariables(environment),
    secretFiles: secretFiles.map(({ path, layer, visible }) => ({ path, layer, visible })),
  };
}

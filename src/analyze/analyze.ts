/**
 * Puts an analysis together from what a scan has read. `jobs/analyze` calls it; each part is a file of this room.
 */
import { utf8Bytes } from '../bytes/bytes.ts';
import type { Image } from '../image/image.ts';
import { readRuntime } from '../oci/runtime.ts';
import type { FileFacts } from '../rootfs/facts/facts.ts';
import type { Filesystem } from '../rootfs/filesystem.ts';
import { packagesOf } from '../rootfs/packages/package-index.ts';
import { isRoot } from '../rootfs/surface/surface.ts';
import { secretVariables } from '../rootfs/surface/secrets.ts';
import { surveyFiles } from '../rootfs/surface/survey.ts';
import { itemsPerStep, type Steps } from '../steps.ts';
import type { Analysis, AnalyzedSurface, Savings, Totals } from './analysis.ts';
import { describeImage, describeLayers } from './describe-image.ts';
import { diveSteps } from './dive.ts';
import type { LayeredImage } from './entries.ts';
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
  readonly facts: FileFacts;
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
  const duplicates: readonly number[] = [];
  const layers = describeLayers(
    image,
    indexes,
    layerBytes.map((diveBytes, i) => ({
      shadowedBytes: shadowed[i] as number,
      duplicateBytes: duplicates[i] ?? 0,
      diveBytes,
    })),
  );
  const packages = quick ? null : packagesOf(input);
  yield;
  return {
    image: describeImage(image, input.name),
    layers,
    totals: totalsOf(layers, sizes),
    dive: numbers,
    findings: [],
    largestFiles: yield* largestFileSteps(input, sizes, largest),
    largestDirectories: yield* largestDirectorySteps(input, sizes, largest),
    packages: packages === null ? [] : yield* packageSizeSteps(input.fs, packages.packages),
    unreadDatabases: packages?.unread ?? [],
    surface: quick ? null : surfaceOf(input),
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

function surfaceOf({ image, fs }: AnalysisInput): AnalyzedSurface {
  const { environment, user } = readRuntime(image.config);
  return {
    files: surveyFiles(fs, utf8Bytes(environment.get('PATH') ?? '')),
    isRoot: isRoot(user),
    secretVariables: secretVariables(environment),
    secretFiles: [],
  };
}

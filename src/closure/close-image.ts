import type { Filesystem } from '../rootfs/filesystem.ts';
import type { Path } from '../bytes/path.ts';
import { OcislimError } from '../errors.ts';
import { type Image, nameOfImage, type Pruning } from '../image/image.ts';
import type { TracePruning } from '../image/trace-pruning.ts';
import { readRuntime } from '../oci/runtime.ts';
import type { ContentProbe, FileFacts } from '../rootfs/facts/facts.ts';
import { utf8Bytes } from '../bytes/bytes.ts';
import { placeTrace } from '../trace/place.ts';
import { fromTraceData } from '../trace/trace-data.ts';
import { checkClosure } from './checks.ts';
import { type Closure, type ClosureInput, closeOver } from './closure.ts';
import type { Problem } from './problem.ts';
import { checkProvenance } from './provenance.ts';
import { closureRules, contentProbes } from './rules/all.ts';

/** What a pruning by trace keeps of an image. */
export interface TraceClosure {
  readonly pruning: TracePruning;
  readonly input: ClosureInput;
  readonly closure: Closure;
}

/** The same with the reasons why the result might not run, which `--force` made warnings. */
export interface CheckedClosure extends TraceClosure {
  readonly problems: readonly Problem[];
  /** What may be wrong with the trace, and is no reason to refuse. */
  readonly doubts: readonly string[];
}

/** Which files' contents the closure must see. */
export const contentProbe: ContentProbe = (path) => {
  let wanted = 0;
  for (const probe of contentProbes) wanted = Math.max(wanted, probe(path));
  return wanted;
};

/** Null for a pruning without a trace. @throws TRACE_INVALID where nothing of the trace is in the image */
export function closeImage(
  image: Image,
  { trace: pruning, keep }: Pruning,
  fs: Filesystem,
  facts: FileFacts,
): TraceClosure | null {
  if (pruning === null) return null;
  const runtime = readRuntime(image.config);
  const input: ClosureInput = {
    fs,
    facts,
    runtime,
    platform: image.config.platform,
    trace: placeTrace(fromTraceData(pruning.trace), utf8Bytes(runtime.workingDirectory)),
    granularity: pruning.granularity,
    keepCommands: pruning.keepCommands,
  };
  return {
    pruning,
    input,
    closure: closeOver(input, closureRules({ keep })),
  };
}

/** @throws UNSAFE with every reason, unless the pruning is forced */
export function checkTraced(
  image: Image,
  traced: TraceClosure,
  isGone: (path: Path) => boolean,
): CheckedClosure {
  const { problems: others, doubts } = checkProvenance(traced.input, image.descriptor.digest);
  const problems = [...others, ...checkClosure(traced.input, traced.closure, isGone)];
  if (problems.length === 0 || traced.pruning.force) return { ...traced, problems, doubts };
  throw new OcislimError('UNSAFE', `${nameOfImage(image)} would not run:${listed(problems)}`, {
    advice:
      'Record the trace from the image’s own entrypoint on, or name what is missing by --keep or --keep-command. --force prunes all the same; --force --dry-run --explain PATH says why a path stays or goes.',
  });
}

const shown = 12;

function listed(problems: readonly Problem[]): string {
  if (problems.length === 1) return ` ${problems[0]?.sentence}`;
  // A line end in a name, or in what a file says, begins no item.
  const lines = problems.slice(0, shown).map(({ sentence }) => `\n  - ${sentence.replaceAll('\n', '\\n')}`);
  const rest = problems.length - lines.length;
  return `${lines.join('')}${rest > 0 ? `\n  - and ${rest} more` : ''}`;
}

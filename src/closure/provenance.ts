import { ascii, type ByteString } from '../bytes/bytes.ts';
import { quotePath } from '../bytes/path.ts';
import type { Digest } from '../oci/digest.ts';
import { uses } from '../trace/trace.ts';
import type { ClosureInput } from './closure.ts';
import type { Problem } from './problem.ts';

/** What suggests that a trace is of another image. */
export interface Provenance {
  /** Reasons to refuse the trace. */
  readonly problems: readonly Problem[];
  /** Reasons to warn. */
  readonly doubts: readonly string[];
}

/**
 * Compares the image of a trace with the one that it is used for, whose digest is given. A trace of an earlier build has another
 * digest, and is as good as long as the programs are the same: this is a doubt. So is an executed program that the image does not
 * have, which a mounted volume may hold. Both together are a problem.
 */
export function checkProvenance({ fs, trace }: ClosureInput, digest: Digest): Provenance {
  const isOther = trace.image !== null && trace.image !== digest;
  const missing: ByteString[] = [];
  for (const [name, bits] of trace.paths)
    if ((bits & uses.exec) !== 0 && fs.resolve(ascii`/${name}`).path === null) missing.push(name);
  const doubts = isOther ? [`${trace.name} is of another image, ${trace.image}`] : [];
  const [first] = missing.sort();
  if (first === undefined) return { problems: [], doubts };
  const rest = missing.length === 1 ? '' : `, and ${missing.length - 1} more`;
  const sentence = `${trace.name} executed ${quotePath(first)}${rest}, which the image does not have`;
  if (!isOther) return { problems: [], doubts: [sentence] };
  return {
    problems: [
      {
        kind: 'other-image',
        path: first,
        sentence: `${doubts[0]}; it ${sentence.slice(trace.name.length + 1)}`,
      },
    ],
    doubts: [],
  };
}

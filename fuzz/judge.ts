import { OcislimError } from '../src/errors.ts';
import type { Target } from './target.ts';

export type FindingKind = 'thrown' | 'broken' | 'slow' | 'hang' | 'memory';

/** Something that no input may bring about. */
export interface Finding {
  readonly kind: FindingKind;
  /** What was thrown, or how long it took. */
  readonly message: string;
  readonly stack: string;
}

/** Processor time that one input may take, in milliseconds: inputs are a few KiB long. */
const longest = 1500;

/** What an input came to; null is no finding. Does not come back where the target does not: see the watchdog. */
export async function judge(target: Target, bytes: Uint8Array): Promise<Finding | null> {
  const start = performance.now();
  const found = await attempt(target, bytes);
  if (found !== null || performance.now() - start < longest) return found;
  // It may have been the machine's fault: this time only the time of this thread counts.
  const before = process.threadCpuUsage();
  const again = await attempt(target, bytes);
  const { user, system } = process.threadCpuUsage(before);
  const took = (user + system) / 1000;
  if (again !== null || took < longest) return again;
  return { kind: 'slow', message: `took ${Math.round(took)} ms of processor time`, stack: '' };
}

async function attempt(target: Target, bytes: Uint8Array): Promise<Finding | null> {
  try {
    await target.run(bytes);
    return null;
  } catch (error) {
    return findingOf(error);
  }
}

/** Null for a refusal. */
export function findingOf(error: unknown): Finding | null {
  if (error instanceof OcislimError && error.code !== 'INTERNAL') return null;
  if (!(error instanceof Error))
    return { kind: 'thrown', message: `no error, but ${JSON.stringify(error)}`, stack: '' };
  const cause = error.cause instanceof Error ? `\ncaused by ${error.cause.stack}` : '';
  return {
    kind: error.name === 'Broken' ? 'broken' : 'thrown',
    message: `${error.name}: ${error.message}`,
    stack: `${error.stack}${cause}`,
  };
}

/** The same for findings that are likely to have the same reason: the sentence without numbers and quotations, and where it happened. */
export function signatureOf({ kind, message, stack }: Finding): string {
  const plain = message
    .slice(0, 300)
    .replace(/"(?:[^"\\]|\\.)*"?|'[^']*'?/g, '"')
    .replace(/[0-9]+/g, '0');
  const place = /\/(?:src|fuzz\/targets)\/[^\s)]*?\.ts:[0-9]+/.exec(stack)?.[0] ?? '';
  return `${kind} ${plain} ${place}`;
}

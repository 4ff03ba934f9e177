/**
 * Runs a target on one input and decides whether the outcome is a finding. The thread that fuzzes and the
 * regression tests use it.
 */
import { OcislimError } from '../src/errors.ts';
import type { Target } from './target.ts';

export type FindingKind = 'thrown' | 'broken' | 'slow' | 'hang' | 'memory';

/** An outcome that no input may have. */
export interface Finding {
  readonly kind: FindingKind;
  /** The thrown message, or how long it took. */
  readonly message: string;
  readonly stack: string;
}

/** The processor time that one input may take, in milliseconds. Inputs are a few KiB long. */
const longest = 1500;

/**
 * Runs the target on an input, and returns the finding; null for none. It hangs where the target does: see the
 * watchdog.
 */
export async function judge(target: Target, bytes: Uint8Array): Promise<Finding | null> {
  const start = performance.now();
  const found = await attempt(target, bytes);
  if (found !== null || performance.now() - start < longest) return found;
  // The machine may have been busy: the second time only this thread's processor time counts.
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

/** Returns the finding of a thrown value; null for a refusal. */
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

/**
 * Returns a text that is equal for findings with probably the same cause: the message without numbers and
 * quotations, and the place.
 */
export function signatureOf({ kind, message, stack }: Finding): string {
  const plain = message
    .slice(0, 300)
    .replace(/"(?:[^"\\]|\\.)*"?|'[^']*'?/g, '"')
    .replace(/[0-9]+/g, '0');
  const place = /\/(?:src|fuzz\/targets)\/[^\s)]*?\.ts:[0-9]+/.exec(stack)?.[0] ?? '';
  return `${kind} ${plain} ${place}`;
}

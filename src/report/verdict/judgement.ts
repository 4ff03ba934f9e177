/**
 * What the renderers of a verdict get, and the sentences that all of them use. The command `check` makes it; each file of this folder
 * is one format.
 */
import type { Breach } from '../../analyze/gates/gate.ts';
import type { GateResult, Verdict } from '../../analyze/gates/verdict.ts';
import { commandLine } from '../analyze/command-line.ts';
import type { Tool } from '../analyze/analyzed.ts';

/** A verdict about one image. Plain data. */
export interface Judgement {
  /** The reference as the user wrote it. */
  readonly image: string;
  readonly digest: string;
  readonly platform: string | null;
  /** Where the gates were written: a file, "options", or "defaults". */
  readonly origin: string;
  readonly verdict: Verdict;
  readonly tool: Tool;
}

/** A breach with its gate. */
export interface Told {
  readonly gate: GateResult;
  readonly breach: Breach;
}

/** Lists all breaches, errors first. */
export function breachesOf({ verdict }: Judgement): readonly Told[] {
  return verdict.gates.flatMap((gate) => gate.breaches.map((breach) => ({ gate, breach })));
}

/** Says how to mend a breach, on one line that is not escaped; empty where nothing is known. */
export function fixText({ fix, command }: Breach, image: string): string {
  const line = command === null ? null : commandLine(command, image);
  return [fix, line].filter((part) => part !== null).join(fix === null ? '' : '; or now: ');
}

/** Says in a sentence without an end how many gates there were, and how many are not met. */
export function summaryText({ verdict, image, origin }: Judgement): string {
  const count = (level: GateResult['level']) =>
    verdict.gates.filter((gate) => gate.level === level && gate.breaches.length > 0).length;
  const [errors, warnings] = [count('error'), count('warning')];
  const all = verdict.gates.length;
  const told = warnings === 0 ? '' : `, ${warnings} ${warnings === 1 ? 'warning' : 'warnings'}`;
  const what = errors === 0 ? 'passed' : `failed ${errors} of`;
  return `${image} ${what} ${all} ${all === 1 ? 'gate' : 'gates'}${told} (gates of ${origin})`;
}

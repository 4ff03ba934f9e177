/**
 * Judges an image: asks each gate of a policy, and says whether all that must be met are met. The command `check` renders the verdict.
 */
import { atOnce, type Steps } from '../../steps.ts';
import { type GateKey, gateId, gateKeys, gates, type GateLimits } from './all.ts';
import type { Breach, Gate, Judged, Level } from './gate.ts';

/** What an image must meet, and what is only told of. Plain data. */
export interface Policy {
  /** Gates that fail the check. */
  readonly check: GateLimits;
  /** Gates that are warnings. */
  readonly warn: GateLimits;
}

/** What became of one gate. */
export interface GateResult {
  /** `transfer-size`. */
  readonly id: string;
  readonly level: Level;
  readonly title: string;
  /** None where the gate is met. */
  readonly breaches: readonly Breach[];
}

/** Plain data. */
export interface Verdict {
  /** Whether every gate of level `error` is met. */
  readonly passed: boolean;
  /** A result for each gate that was asked, errors first. */
  readonly gates: readonly GateResult[];
}

/** Judges an image by a policy. */
export function* verdictSteps(policy: Policy, judged: Judged): Steps<Verdict> {
  const results: GateResult[] = [];
  for (const [level, limits] of [
    ['error', policy.check],
    ['warning', policy.warn],
  ] as const)
    for (const key of gateKeys) {
      if (limits[key] === undefined) continue;
      yield;
      results.push({
        id: gateId(key),
        level,
        title: gates[key].title,
        breaches: yield* ask(key, limits, judged),
      });
    }
  const passed = results.every(({ level, breaches }) => level === 'warning' || breaches.length === 0);
  return { passed, gates: results };
}

/** Judges at once, for tests. */
export function judge(policy: Policy, judged: Judged): Verdict {
  return atOnce(verdictSteps(policy, judged));
}

function* ask(key: GateKey, limits: GateLimits, judged: Judged): Steps<readonly Breach[]> {
  const gate = gates[key] as Gate<unknown>;
  const answer = gate.judge(limits[key], judged);
  if (Array.isArray(answer)) return answer as readonly Breach[];
  return yield* answer as Steps<readonly Breach[]>;
}

/** Returns whether a policy needs more than sizes and dive's numbers. */
export function isDeep({ check, warn }: Policy): boolean {
  return gateKeys.some((key) => gates[key].isDeep && (check[key] ?? warn[key]) !== undefined);
}

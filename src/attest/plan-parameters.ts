import type { Layer, Plan, Pruning } from '../image/image.ts';
import { digestOf } from '../oci/digest.ts';
import { encodeJson } from '../oci/json.ts';
import { digestSet, type ResourceDescriptor } from './statement.ts';

/**
 * A plan as provenance shows it: whole, but for traces, which stand by their digest, since they may name a hundred thousand paths, and
 * for the paths of new files on this machine.
 */
export type PlanParameters = Omit<Plan, 'prunings' | 'layers'> & {
  readonly layers: readonly object[];
  readonly prunings: readonly (Omit<Pruning, 'trace'> & { readonly trace: object | null })[];
};

/** Returns a plan for provenance. */
export function planParameters(plan: Plan): PlanParameters {
  return {
    ...plan,
    layers: plan.layers.map(layerParameters),
    prunings: plan.prunings.map(({ trace, ...pruning }) => ({
      ...pruning,
      trace: trace === null ? null : { ...trace, trace: traceResource(trace.trace) },
    })),
  };
}

function layerParameters({ content, encodings }: Layer): object {
  if (content.kind !== 'added') return { content, encodings };
  const { path: _, ...addition } = content.addition;
  return { content: { ...content, addition }, encodings };
}

/** Lists the traces that prunings keep things by. The digest is that of the trace as compact JSON, with keys in the order of the plan. */
export function tracesOf({ prunings }: Plan): readonly ResourceDescriptor[] {
  return prunings.flatMap(({ trace }) => (trace === null ? [] : [traceResource(trace.trace)]));
}

function traceResource(trace: NonNullable<Pruning['trace']>['trace']): ResourceDescriptor {
  return { name: trace.name, digest: digestSet(digestOf(encodeJson(trace))) };
}

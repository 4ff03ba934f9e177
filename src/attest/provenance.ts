/**
 * The SLSA build provenance (version 1) of what a run wrote: which image it was made from, by which plan, with which encoders.
 * docs/provenance.md defines its build type.
 */
import type { Plan } from '../image/image.ts';
import { knownTypes, typeNames } from './names.ts';
import { planParameters, tracesOf, type PlanParameters } from './plan-parameters.ts';
import { type ResourceDescriptor, type Statement, statementOf } from './statement.ts';

/** The predicate `https://slsa.dev/provenance/v1`, as far as ocislim writes it. */
export interface Provenance {
  readonly buildDefinition: {
    readonly buildType: string;
    readonly externalParameters: ExternalParameters;
    readonly internalParameters: { readonly encoders: readonly object[] };
    readonly resolvedDependencies: readonly ResourceDescriptor[];
  };
  readonly runDetails: {
    readonly builder: { readonly id: string; readonly version: Readonly<Record<string, string>> };
    readonly metadata: RunMetadata;
    readonly byproducts: readonly ResourceDescriptor[];
  };
}

/** What a user asked for. */
export interface ExternalParameters {
  readonly command: string;
  /** The image that was named; missing where an image was built from nothing. */
  readonly source?: ResourceDescriptor;
  readonly platforms: readonly { readonly platform: string | null; readonly plan: PlanParameters }[];
}

/** When a run was. Times are RFC 3339, in UTC, in whole seconds. */
export interface RunMetadata {
  readonly invocationId: string;
  readonly startedOn: string;
  readonly finishedOn: string;
}

/** What provenance is made of. */
export interface Made {
  readonly subject: ResourceDescriptor;
  readonly command: string;
  /** Null for an image that was built from nothing. */
  readonly source: ResourceDescriptor | null;
  /** The plan of each image that was read. */
  readonly plans: readonly { readonly platform: string | null; readonly plan: Plan }[];
  /** What was read beside the source: its images, bases, originals. */
  readonly others: readonly ResourceDescriptor[];
  /** Those that packed new layers. */
  readonly encoders: readonly object[];
  /** The `builder.id`; null for that of the command line. */
  readonly builderId: string | null;
  readonly version: string;
  readonly metadata: RunMetadata;
  readonly byproducts: readonly ResourceDescriptor[];
}

/** Makes the provenance of a result. */
export function provenanceOf(made: Made): Statement<Provenance> {
  const { subject, command, source, plans, others, encoders, builderId, version, metadata, byproducts } =
    made;
  const platforms = plans.map(({ platform, plan }) => ({ platform, plan: planParameters(plan) }));
  const traces = plans.flatMap(({ plan }) => tracesOf(plan));
  return statementOf(subject, knownTypes.provenance, {
    buildDefinition: {
      buildType: typeNames.transform,
      externalParameters: { command, ...(source === null ? {} : { source }), platforms },
      internalParameters: { encoders },
      resolvedDependencies: distinct([...(source === null ? [] : [source]), ...others, ...traces]),
    },
    runDetails: {
      builder: { id: builderId ?? typeNames.builder, version: { ocislim: version } },
      metadata,
      byproducts,
    },
  });
}

/** Drops resources that are listed before. */
function distinct(resources: readonly ResourceDescriptor[]): readonly ResourceDescriptor[] {
  return [...new Map(resources.map((each) => [JSON.stringify(each), each])).values()];
}

import type * as z from 'zod';
import type { actions, reportSchema } from './schema.ts';

type Frozen<T> = T extends readonly (infer U)[]
  ? readonly Frozen<U>[]
  : T extends object
    ? { readonly [K in keyof T]: Frozen<T[K]> }
    : T;

/** What was done to an image, or in a dry run would be: version 1, plain data. `schema.ts` documents each field. */
export type Report = Frozen<z.infer<typeof reportSchema>>;

/** One image of the report. */
export type PlatformReport = Report['platforms'][number];

/** One layer of the new image, with the source layers that went into it. */
export type LayerReport = PlatformReport['layers'][number];

/** How the packing of a layer was chosen. */
export type TuningReport = NonNullable<LayerReport['tuning']>;

/** What slimming removed from one image. */
export type SlimmingReport = NonNullable<PlatformReport['slimming']>;

/** What a pruning by trace kept. */
export type KeepingReport = NonNullable<PlatformReport['keeping']>;

/** The attack surface of one image, before and after. */
export type SurfaceReport = NonNullable<PlatformReport['surface']>;

/** What came back to one image. */
export type RestoringReport = NonNullable<PlatformReport['restoring']>;

export type RemovedEntry = SlimmingReport['removed'][number];

export type LayerAction = keyof typeof actions;

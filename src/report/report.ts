/**
 * The face of the room that tells what a run did. `build.ts` makes a report, plain data of these types, and the renderers
 * (`renderers.ts`, `summary.ts`) turn it into text. The room writes to no file and no terminal.
 */
import type * as z from 'zod';
import type { actions, reportSchema } from './schema.ts';

type Frozen<T> = T extends readonly (infer U)[]
  ? readonly Frozen<U>[]
  : T extends object
    ? { readonly [K in keyof T]: Frozen<T[K]> }
    : T;

/** The name of the report's JSON Schema, which every report carries. A new version of the report gets a new one. */
export const reportId = 'urn:ocislim:schema:report:1';

/** What was done to an image, or would be done by a dry run. Version 1; `schema.ts` documents each field. */
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

/** Something heavy in the result that could go. */
export type FindingReport = NonNullable<PlatformReport['findings']>[number];

/** What became of what scanners had found in one image. */
export type ScannedReport = NonNullable<PlatformReport['scanned']>;

/** How an image was recorded, and its pruned form tried. */
export type RecordingReport = NonNullable<Report['recording']>;

/** What came back to one image. */
export type RestoringReport = NonNullable<PlatformReport['restoring']>;

/** What became of the base of one image. */
export type RebasingReport = NonNullable<PlatformReport['rebasing']>;

/** What updates of one image download, and its layers. */
export type RelayeringReport = NonNullable<PlatformReport['relayering']>;

/** What changed in the config of one image. */
export type ConfiguringReport = NonNullable<PlatformReport['configuring']>;

export type RemovedEntry = SlimmingReport['removed'][number];

export type LayerAction = keyof typeof actions;

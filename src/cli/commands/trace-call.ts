import type { traceOptions } from '../../settings/tables/trace.ts';
import type { Call } from '../command.ts';

/** What the actions of `trace` are given. */
export type TraceCall = Call<typeof traceOptions>;

/** The file that `record` writes where --output names none. */
export const defaultTrace = 'ocislim.trace';

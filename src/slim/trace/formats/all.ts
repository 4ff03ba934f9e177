import type { TraceFormat } from '../trace-format.ts';
import { traceFile } from '../trace-file.ts';
import { nulList, plainList } from './plain-list.ts';
import { strace } from './strace.ts';

/** In the order in which they are asked whether a file is theirs; the last one takes everything. */
export const formats: readonly TraceFormat[] = [traceFile, nulList, strace, plainList];

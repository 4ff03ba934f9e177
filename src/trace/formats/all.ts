import type { TraceFormat } from '../trace-format.ts';
import { traceFile } from '../trace-file.ts';
import { auditd } from './auditd.ts';
import { fatrace, fatraceJson } from './fatrace.ts';
import { inotifywait, inotifywaitCsv } from './inotifywait.ts';
import { jsonDocument } from './json-document.ts';
import { type JsonRecords, jsonLines } from './json-records.ts';
import { nydus } from './nydus.ts';
import { opensnoop } from './opensnoop.ts';
import { nulList, plainList } from './plain-list.ts';
import { stargz } from './stargz.ts';
import { strace } from './strace.ts';
import { falco, sysdig, sysdigJson } from './sysdig.ts';
import { tracee } from './tracee.ts';

/** Of these, `stargz` asks for the least. */
const records: readonly JsonRecords[] = [fatraceJson, tracee, falco, sysdigJson, stargz];

/** In the order in which they are asked whether a file is theirs; the last one takes everything. */
export const formats: readonly TraceFormat[] = [
  traceFile,
  jsonDocument(records),
  ...records.map(jsonLines),
  auditd,
  opensnoop,
  nydus,
  strace,
  fatrace,
  sysdig,
  inotifywait,
  inotifywaitCsv,
  nulList,
  plainList,
];

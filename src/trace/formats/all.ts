import type { TraceFormat } from '../trace-format.ts';
import { traceFile } from '../trace-file.ts';
import { auditd } from './auditd.ts';
import { falco } from './falco.ts';
import { fatrace, fatraceJson } from './fatrace.ts';
import { inotifywait, inotifywaitCsv } from './inotifywait.ts';
import { jsonDocument } from './json-document.ts';
import { type JsonRecords, jsonLines } from './json-records.ts';
import { nydus } from './nydus.ts';
import { opensnoop } from './opensnoop.ts';
import { nulList, plainList } from './plain-list.ts';
import { stargz } from './stargz.ts';
import { strace } from './strace.ts';
import { sysdig, sysdigJson } from './sysdig.ts';
import { tracee } from './tracee.ts';

/** Tools that write JSON objects. `stargz` comes last: it takes any object with a member `path`. */
const records: readonly JsonRecords[] = [fatraceJson, tracee, falco, sysdigJson, stargz];

/** All formats, in the order of detection: the first that detects a file reads it. `plainList` takes every file. */
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

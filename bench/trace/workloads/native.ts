/** The workloads of compiled programs: static ones, with the C library of glibc or musl, and tools for media. */
import { entrypoint, job, type Workload } from './step.ts';

export const native: readonly Workload[] = [
  {
    image: 'static',
    files: {},
    main: [{ argv: ['/app/server'] }],
    other: [{ argv: ['/app/server', 'other.txt'] }, { argv: ['/app/server', 'missing.txt'] }],
  },
  {
    image: 'busybox',
    files: {},
    main: [entrypoint],
    other: [
      {
        argv: [
          'sh',
          '-c',
          'echo one two | awk "{ print \\$2 }" | tr a-z A-Z; printf abc | wc -c; /bin/seq 3 | /bin/sort -r',
        ],
      },
    ],
  },
  {
    image: 'musl',
    files: {},
    main: [entrypoint],
    other: [
      job('reverse'),
      { ...job('missing'), fails: true },
      { argv: ['sh', '-c', 'echo one two | awk "{ print \\$2 }" | tr a-z A-Z'] },
    ],
  },
  {
    image: 'cgo',
    files: {},
    main: [entrypoint],
    other: [job('convert'), job('services'), job('roots')],
  },
  {
    image: 'ffmpeg',
    files: {},
    main: [entrypoint],
    other: [job('text'), job('pack'), job('sound')],
  },
  {
    image: 'imagemagick',
    files: {},
    main: [entrypoint],
    other: [job('formats'), job('text'), job('sheet')],
  },
];

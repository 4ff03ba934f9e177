/** The target of traces. Whatever a line holds, the reader of its format counts it as a use, or as unreadable. */
import { readdirSync, readFileSync } from 'node:fs';
import { placeTrace } from '../../src/trace/place.ts';
import { seccompProfile } from '../../src/trace/seccomp.ts';
import { checkTrace, mergeTraces } from '../../src/trace/merge.ts';
import type { Trace } from '../../src/trace/trace.ts';
import { writeTrace } from '../../src/trace/trace-file.ts';
import { TraceReader } from '../../src/trace/trace-reader.ts';
import type { TraceOptions } from '../../src/trace/trace-sink.ts';
import { summarizeTrace } from '../../src/trace/trace-summary.ts';
import { jsonMutators } from '../json-mutators.ts';
import { flood } from '../mutate.ts';
import { choiceOf, holds, outcomeNow, same, type Target } from '../target.ts';
import { KiB, MiB } from '../../src/units.ts';
import { b } from '../../test/support/bytes.ts';

const fixtures = new URL('../../fixtures/traces/', import.meta.url);

function read(bytes: Uint8Array, chunk: number, options: TraceOptions = {}): Trace {
  const reader = new TraceReader('it', options);
  for (let at = 0; at < bytes.length; at += chunk) reader.write(bytes.subarray(at, at + chunk));
  return reader.end();
}

function sorted(map: ReadonlyMap<string, number>): unknown {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}

function plain({ paths, syscalls, ...rest }: Trace): unknown {
  return [[...paths], [...syscalls], rest];
}

export const target: Target = {
  name: 'trace',
  invariant:
    'chunks change nothing; paths are clean; a trace written as our own file is read as the same; nothing that is made of a trace throws',
  // The beginning of a long trace is as good as the whole.
  seeds: () =>
    readdirSync(fixtures, { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(?:txt|json|csv)$/.test(name))
      .map((name) => new Uint8Array(readFileSync(new URL(name, fixtures)).subarray(0, 2500))),
  dictionary: [
    ...'execve( openat( chdir( clone( fork( AT_FDCWD, <unfinished...> ) = ) = 3 ) = 0 ) = -1 ENOENT [pid +++ --- {"path": type=SYSCALL type=PATH type=CWD type=EXECVE name= cwd= a0= O_RDONLY, <... resumed> ? \\x2f \\" .. ./ /../ /'.split(
      ' ',
    ),
    '<unfinished ...>',
    '<... openat resumed>',
    'strace: Process 4 attached\n',
    '\n',
    '\0',
    '\xff',
    '"',
    `/${'n'.repeat(300)}`,
  ],
  mutators: [...jsonMutators, flood],
  maxBytes: 64 * KiB,
  run: (bytes) => {
    const choice = choiceOf(bytes);
    const options: TraceOptions =
      choice % 3 === 0
        ? { roots: [b('/usr'), b('/srv/app')], limits: { line: 300 } }
        : choice % 3 === 1
          ? { workingDir: b('/srv') }
          : {};
    const whole = outcomeNow(() => read(bytes, MiB, options));
    const cut = outcomeNow(() => read(bytes, 1 + (choice % 61), options));
    holds(whole.kind === cut.kind, 'the chunks change the verdict');
    if (whole.kind === 'refused') return same(whole, cut, 'the chunks change why it is refused');
    const trace = whole.value;
    holds(cut.kind === 'accepted', 'the chunks change the verdict');
    same(plain(trace), plain(cut.value), 'the chunks change what is read');
    for (const path of trace.paths.keys())
      holds(
        path !== '' && !path.startsWith('/') && !path.includes('\0') && path.length <= 4096,
        'a path that is not clean',
      );
    outcomeNow(() => checkTrace(trace));
    summarizeTrace(trace);
    seccompProfile(trace);
    placeTrace(trace, b('srv/app'));
    outcomeNow(() => mergeTraces([trace, cut.value]));
    if (trace.paths.size === 0) return;
    const written = Buffer.from([...writeTrace(trace)].join(''));
    const again = read(written, MiB);
    const bare = ({ paths, syscalls, platform, image, knowsExecs, hasAllSyscalls, command }: Trace) => [
      sorted(paths),
      sorted(syscalls),
      platform,
      image,
      knowsExecs,
      hasAllSyscalls,
      command,
    ];
    same(bare(again), bare(trace), 'written and read again it is another trace');
  },
};

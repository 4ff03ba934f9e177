import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Digest } from '../../src/oci/digest.ts';
import type { NameChange, RunEnd, Trace } from '../../src/trace/trace.ts';
import { writeTrace } from '../../src/trace/trace-file.ts';
import { tracedPath } from '../../src/trace/traced-path.ts';
import { readTrace } from './read-trace.ts';
import { b } from '../support/bytes.ts';

/** Any bytes but NUL, below the longest name. */
const name = fc
  .array(fc.integer({ min: 1, max: 255 }), { minLength: 1, maxLength: 20 })
  .map((bytes) => String.fromCharCode(...bytes));
const path = fc
  .array(name, { minLength: 1, maxLength: 4 })
  .map((names) => tracedPath(b(''), b(names.join('/'))) ?? b(''))
  .filter((each) => each !== '');
const bits = fc.integer({ min: 1, max: 255 });
const syscall = fc.stringMatching(/^[a-z_][a-z0-9_]{0,20}$/);

const change: fc.Arbitrary<NameChange> = fc.oneof(
  fc.record({ kind: fc.constant('symlink' as const), path, target: name.map(b) }),
  fc.record({ kind: fc.constant('moved' as const), path, from: path }),
);
const end: fc.Arbitrary<RunEnd> = fc.record({
  status: fc.nat(255),
  signal: fc.option(fc.constantFrom('SIGTERM', 'SIGRTMIN+1')),
  stopped: fc.constantFrom('for', 'signal', null),
  seconds: fc.option(fc.nat(1e6).map((tenths) => tenths / 10)),
});

const anyTrace: fc.Arbitrary<Trace> = fc.record({
  name: fc.constant('app.trace'),
  formats: fc.uniqueArray(fc.constantFrom('strace', 'fatrace', 'list')),
  platform: fc.option(fc.constantFrom('linux/amd64', 'linux/arm64/v8')),
  image: fc.option(fc.constant(`sha256:${'a'.repeat(64)}` as Digest)),
  paths: fc.array(fc.tuple(path, bits), { maxLength: 20 }).map((pairs) => new Map(pairs)),
  changes: fc.uniqueArray(change, { maxLength: 5, selector: (each) => JSON.stringify(each) }),
  ends: fc.array(end, { maxLength: 2 }),
  notInImage: fc.option(fc.record({ count: fc.nat(), first: fc.array(path, { maxLength: 5 }) })),
  gaps: fc.uniqueArray(fc.constantFrom('does not show a', 'does not show b')),
  isBlind: fc.boolean(),
  knowsExecs: fc.boolean(),
  syscalls: fc.array(fc.tuple(syscall, fc.nat()), { maxLength: 5 }).map((pairs) => new Map(pairs)),
  hasAllSyscalls: fc.boolean(),
  command: fc.option(fc.array(name.map(b), { minLength: 1, maxLength: 3 })),
  outside: fc.constant(0),
  lines: fc.constant(0),
  unreadable: fc.constant({ count: 0, samples: [] }),
});

function written(trace: Trace): string {
  return Buffer.from([...writeTrace(trace)].join(''), 'utf8').toString('latin1');
}

describe('the trace file', () => {
  it('holds a whole trace', () => {
    fc.assert(
      fc.property(anyTrace, (trace) => {
        const read = readTrace(written(trace));
        expect({ ...read, lines: 0, formats: [] }).toEqual({ ...trace, formats: [] });
        expect(read.formats).toEqual(trace.formats.length === 0 ? ['ocislim'] : trace.formats);
      }),
    );
  });

  it('has a line of JSON for each path, change of names and system call, in order', () => {
    const trace = readTrace('12 execve("/bin/b", ["b"], []) = 0\n12 open("/a\\377", O_RDONLY) = 3\n');
    expect([...writeTrace(trace)].map((line) => line.trimEnd())).toEqual([
      '{"ocislim":"trace","version":1,"formats":["strace"],"command":["b"],"knowsExecs":true,"hasAllSyscalls":false}',
      '{"path":"a\ufffd","pathBase64":"Yf8=","uses":["open"]}',
      '{"path":"bin/b","uses":["exec"]}',
      '{"syscall":"execve","count":1}',
      '{"syscall":"open","count":1}',
    ]);
  });

  it('is refused in another version', () => {
    expect(() => readTrace('{"ocislim":"trace","version":2}\n{"path":"a","uses":["open"]}\n')).toThrow(
      'app.trace is a trace file of version 2; this ocislim reads version 1',
    );
  });

  it.each(['', 'linux', 'constructor', 'linux//arm'])('is refused with the platform %j', (platform) => {
    const header = JSON.stringify({ ocislim: 'trace', version: 1, platform });
    expect(() => readTrace(`${header}\n{"path":"a","uses":["open"]}\n`)).toThrow(
      expect.objectContaining({
        code: 'TRACE_INVALID',
        message: `app.trace states ${JSON.stringify(platform)} as its platform`,
      }),
    );
  });

  it('ignores --trace-root, since its paths count from the root of the container', () => {
    const trace = readTrace('{"ocislim":"trace","version":1}\n{"path":"a/b","uses":["open"]}\n', {
      roots: [b('/srv/root')],
    });
    expect([...trace.paths]).toEqual([['a/b', 1]]);
  });

  it('counts lines of other forms as unreadable', () => {
    const trace = readTrace(
      '{"ocislim":"trace","version":1}\n{"path":"a","uses":["open"]}\n{"path":7}\n{"path":"b","uses":["open"]}\n',
    );
    expect(trace.unreadable).toEqual({
      count: 1,
      samples: [{ file: 'app.trace', line: 3, text: '{"path":7}' }],
    });
  });
});

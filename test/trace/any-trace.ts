/**
 * Traces of any contents, for the files that hold them. The laws of traces and of the formats that they are written in take them.
 */
import fc from 'fast-check';
import type { Digest } from '../../src/oci/digest.ts';
import { capabilities, type Rights } from '../../src/trace/rights.ts';
import type { NameChange, RunEnd, Trace } from '../../src/trace/trace.ts';
import { tracedPath } from '../../src/trace/traced-path.ts';
import { b } from '../support/bytes.ts';

/** Any bytes but NUL, below the longest name. */
export const anyName = fc
  .array(fc.integer({ min: 1, max: 255 }), { minLength: 1, maxLength: 20 })
  .map((bytes) => String.fromCharCode(...bytes));
export const anyPath = fc
  .array(anyName, { minLength: 1, maxLength: 4 })
  .map((names) => tracedPath(b(''), b(names.join('/'))) ?? b(''))
  .filter((each) => each !== '');
const bits = fc.integer({ min: 1, max: 1023 });
const syscall = fc.stringMatching(/^[a-z_][a-z0-9_]{0,20}$/);

const change: fc.Arbitrary<NameChange> = fc.oneof(
  fc.record({ kind: fc.constant('symlink' as const), path: anyPath, target: anyName.map(b) }),
  fc.record({ kind: fc.constant('moved' as const), path: anyPath, from: anyPath }),
);
const end: fc.Arbitrary<RunEnd> = fc.record({
  status: fc.nat(255),
  signal: fc.option(fc.constantFrom('SIGTERM', 'SIGRTMIN+1')),
  stopped: fc.constantFrom('for', 'signal', null),
  seconds: fc.option(fc.nat(1e6).map((tenths) => tenths / 10)),
});

const rights: fc.Arbitrary<Rights> = fc.record({
  isComplete: fc.boolean(),
  sockets: fc
    .uniqueArray(fc.constantFrom('inet stream', 'unix dgram', 'netlink raw'))
    .map((all) => new Set(all)),
  capabilities: fc
    .array(
      fc.tuple(
        fc.constantFrom(...capabilities),
        fc.array(syscall, { minLength: 1, maxLength: 3 }).map((all) => new Set(all)),
      ),
      { maxLength: 4 },
    )
    .map((pairs) => new Map(pairs)),
});

export const anyTrace: fc.Arbitrary<Trace> = fc.record({
  name: fc.constant('app.trace'),
  formats: fc.uniqueArray(fc.constantFrom('strace', 'fatrace', 'list')),
  platform: fc.option(fc.constantFrom('linux/amd64', 'linux/arm64/v8')),
  image: fc.option(fc.constant(`sha256:${'a'.repeat(64)}` as Digest)),
  paths: fc.array(fc.tuple(anyPath, bits), { maxLength: 20 }).map((pairs) => new Map(pairs)),
  changes: fc.uniqueArray(change, { maxLength: 5, selector: (each) => JSON.stringify(each) }),
  ends: fc.array(end, { maxLength: 2 }),
  notInImage: fc.option(fc.record({ count: fc.nat(), first: fc.array(anyPath, { maxLength: 5 }) })),
  gaps: fc.uniqueArray(fc.constantFrom('does not show a', 'does not show b')),
  isBlind: fc.boolean(),
  knowsExecs: fc.boolean(),
  syscalls: fc.array(fc.tuple(syscall, fc.nat()), { maxLength: 5 }).map((pairs) => new Map(pairs)),
  hasAllSyscalls: fc.boolean(),
  rights,
  command: fc.option(fc.array(anyName.map(b), { minLength: 1, maxLength: 3 })),
  outside: fc.constant(0),
  lines: fc.constant(0),
  unreadable: fc.constant({ count: 0, samples: [] }),
});

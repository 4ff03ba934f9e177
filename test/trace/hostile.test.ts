import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OcislimError } from '../../src/errors.ts';
import { readTrace } from './read-trace.ts';

const fixture = (name: string): string =>
  readFileSync(new URL(`../../fixtures/traces/${name}`, import.meta.url), 'utf8');

/** The objects of each JSON format. */
const samples: Record<string, readonly unknown[]> = {
  'creport.json': [JSON.parse(fixture('creport.json'))],
  'soci.json': [JSON.parse(fixture('soci.json'))],
  'ocislim.trace': [
    {
      ocislim: 'trace',
      version: 1,
      formats: ['strace'],
      platform: 'linux/amd64',
      command: ['app'],
      runs: [{ status: 0, signal: null, stopped: null, seconds: 1 }],
      notInImage: { count: 1, first: [{ path: 'a' }] },
      gaps: [],
      isBlind: false,
      knowsExecs: true,
      hasAllSyscalls: true,
    },
    { path: 'usr/bin/app', uses: ['exec'] },
    { moved: 'a', from: 'b' },
    { symlink: 'c', target: 'd' },
    { syscall: 'read', count: 1 },
  ],
};
for (const name of ['falco', 'fatrace', 'stargz', 'sysdig', 'tracee', 'tracee-v1beta1'])
  samples[`${name}.json`] = fixture(`${name}.json`)
    .trim()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
samples['io_uring'] = [
  { eventName: 'io_uring_create', processName: 'node', args: [{ name: 'sq_entries', value: 64 }] },
  {
    eventName: 'openat',
    args: [
      { name: 'pathname', value: { str: 'x' } },
      { name: 'dirfd', value: 3 },
    ],
  },
];

type Place = readonly (string | number)[];

/** Returns the places of all values within a value, also its own. */
function placesIn(value: unknown, at: Place = []): Place[] {
  if (typeof value !== 'object' || value === null) return [at];
  const inner = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return [at, ...inner.flatMap(([key, each]) => placesIn(each, [...at, key]))];
}

/** Returns a copy with another value at a place. */
function replaced(value: unknown, [key, ...rest]: Place, by: unknown): unknown {
  if (key === undefined) return by;
  if (Array.isArray(value)) return value.map((each, i) => (i === key ? replaced(each, rest, by) : each));
  return Object.fromEntries(
    Object.entries(value as object).map(([name, each]) => [
      name,
      name === key ? replaced(each, rest, by) : each,
    ]),
  );
}

/** Reads a trace; an OcislimError is a result as well. */
function attempt(text: string): void {
  try {
    readTrace(Buffer.from(text));
  } catch (cause) {
    if (!(cause instanceof OcislimError)) throw cause;
  }
}

/** Values that a conversion to a string or number fails at, and names that every object has. */
const awkward: readonly unknown[] = [
  { toString: 1, valueOf: 1 },
  [{ toString: 1, valueOf: 1 }],
  'constructor',
  '__proto__',
  'toString',
  null,
  true,
  -0.5,
  1e308,
  {},
  [],
];

const linesOf = (objects: readonly unknown[]): string =>
  objects.map((each) => `${JSON.stringify(each)}\n`).join('');

describe.each(Object.entries(samples))('a trace like %s', (_name, objects) => {
  const places = placesIn(objects);

  it.each(awkward.map((value) => [JSON.stringify(value), value]))(
    'may have %s at any place',
    (_text, value) => {
      for (const place of places) {
        const changed = replaced(objects, place, value);
        attempt(JSON.stringify(changed));
        if (Array.isArray(changed)) attempt(linesOf(changed));
      }
    },
  );

  it('may have any JSON value at any place', () => {
    fc.assert(
      fc.property(fc.constantFrom(...places), fc.jsonValue(), (place, value) => {
        const changed = replaced(objects, place, value);
        attempt(JSON.stringify(changed));
        if (Array.isArray(changed)) attempt(linesOf(changed));
      }),
    );
  });
});

it('an argument of tracee may be an object of any depth', () => {
  const deep = '{"str":'.repeat(100_000);
  const line = `{"eventName":"open","args":[{"name":"pathname","value":${deep}1${'}'.repeat(100_000)}}]}\n`;
  expect(readTrace(line).paths.size).toBe(0);
});

it('an entry of an array may be nested deeper than the stack', () => {
  const deep = `${'['.repeat(400_000)}${']'.repeat(400_000)}`;
  const object = '{"path":"a"}';
  expect([...readTrace(`[${object},${object},${deep}]`).paths.keys()]).toEqual(['a']);
});

it.each(['constructor', '__proto__', 'toString'])('auditd may name the architecture %s', (arch) => {
  for (const syscall of ['2', 'open']) {
    const trace = readTrace(
      `type=SYSCALL msg=audit(1.0:1): arch=${arch} syscall=${syscall} success=yes exit=3 a0=0 a1=0 a2=0 a3=0 items=1\n` +
        'type=PATH msg=audit(1.0:1): item=0 name="/etc/x" nametype=NORMAL\n',
    );
    expect(trace.platform).toBeNull();
    expect([...trace.paths.keys()]).toEqual(['etc/x']);
  }
});

it('a report of SlimToolkit may name the architecture constructor', () => {
  const report = fixture('creport.json').replace('"x86_64"', '"constructor"');
  expect(readTrace(report).platform).toBeNull();
});

it('falco may give the type of an event as an object', () => {
  const trace = readTrace('{"output_fields":{"evt.type":{"toString":1,"valueOf":1},"fd.name":"/bin/sh"}}\n');
  expect([...trace.paths.keys()]).toEqual(['bin/sh']);
});

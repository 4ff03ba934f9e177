import { constants } from 'node:os';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { errorName } from '../../src/trace/formats/errno.ts';
import type { Trace } from '../../src/trace/trace.ts';
import { readFixture, readTrace } from './read-trace.ts';
import { sayingsOf } from './sayings.ts';

const notes = readFileSync(new URL('../../spec-notes/trace-formats.md', import.meta.url), 'utf8');

/** Returns the rows of the table below a heading: what the trace has, and what it says. */
function rowsOf(heading: string): readonly (readonly [string, string])[] {
  const section = notes.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  return [...section.matchAll(/^\| `(.+)` \| (.+) \|$/gm)].map(([, line = '', says = '']) => [
    line.replaceAll('\\|', '|'),
    says,
  ]);
}

/** What a trace of one event says. */
function saying(trace: string): string {
  const read: Trace = readTrace(`${trace}\n`);
  return read.unreadable.count > 0 ? 'unreadable' : sayingsOf(read);
}

/** Lines that make sense and say nothing, so that one unreadable line is not most of a trace. */
const many = 5;

describe('auditd', () => {
  const rows = rowsOf('auditd');
  it('has rows', () => expect(rows.length).toBeGreaterThan(20));

  it.each(rows)('%s says: %s', (fields, says) => {
    const [call = '', ...paths] = fields.split('; ');
    const id = 'msg=audit(1.0:1):';
    const type = call.startsWith('uring_op') ? 'URINGOP' : 'SYSCALL arch=c000003e';
    const [kind = '', arch = ''] = type.split(' ');
    const lines = [
      `type=${kind} ${id} ${arch} ${call}`,
      `type=CWD ${id} cwd="/d"`,
      ...paths.map((path) => `type=PATH ${id} ${path}`),
      ...Array.from({ length: many }, () => `type=PROCTITLE ${id} proctitle="x"`),
    ];
    expect(saying(lines.join('\n'))).toBe(says);
  });

  it('reads numbers of arm64, whose flags have other bits', () => {
    const event = (call: string) =>
      `type=SYSCALL msg=audit(1.0:1): arch=c00000b7 ${call}\ntype=PATH msg=audit(1.0:1): item=0 name="/a" nametype=NORMAL`;
    expect(saying(event('syscall=56 success=yes exit=3 a0=ffffff9c a2=84000'))).toBe('a: list');
    expect(saying(event('syscall=78 success=no exit=-22 a0=ffffff9c'))).toBe('a: failLink');
    expect(saying(event('syscall=56 success=no exit=-40 a0=ffffff9c a2=8000'))).toBe('a: failLink');
  });
});

describe('sysdig', () => {
  const rows = rowsOf('sysdig');
  it('has rows', () => expect(rows.length).toBeGreaterThan(15));

  it.each(rows)('%s says: %s', (events, says) => {
    const lines = [...events.split('; '), ...Array.from({ length: many }, () => '< close res=0')];
    const text = lines.map((event, i) => `${i} 03:08:16.1 1 app (7) ${event}`).join('\n');
    expect(saying(text)).toBe(says);
    const objects = lines.map((event, i) => {
      const [, dir = '', type = '', info = ''] = /^([<>]) (\w+) ?(.*)$/.exec(event) ?? [];
      return JSON.stringify({
        'evt.num': i,
        'evt.dir': dir,
        'evt.type': type,
        'evt.info': `${info} `,
        'proc.name': 'app',
        'thread.tid': 7,
      });
    });
    expect(saying(objects.join('\n'))).toBe(says);
  });
});

describe('falco', () => {
  const rows = rowsOf('falco');
  it('has rows', () => expect(rows.length).toBeGreaterThan(10));

  it.each(rows)('%s says: %s', (fields, says) => {
    expect(saying(`{"output":"x","output_fields":${fields}}`)).toBe(says);
  });
});

describe('tracee', () => {
  const rows = rowsOf('tracee');
  it('has rows', () => expect(rows.length).toBeGreaterThan(10));

  it.each(rows)('%s says: %s', (text, says) => {
    const { args, ...event } = JSON.parse(text) as { args: object; eventName: string; returnValue: number };
    const list = Object.entries(args).map(([name, value]) => ({ name, value: value as unknown }));
    const none = { eventName: 'close', args: [], returnValue: 0 };
    const lines = [{ ...event, args: list }, ...Array.from({ length: many }, () => none)];
    expect(saying(lines.map((line) => JSON.stringify(line)).join('\n'))).toBe(says);
    const { eventName: name, returnValue, ...rest } = event;
    const newer = { ...rest, name, data: [...list, { name: 'returnValue', value: returnValue }] };
    const others = Array.from({ length: many }, () => ({ name: 'close', data: [] }));
    expect(saying([newer, ...others].map((line) => JSON.stringify(line)).join('\n'))).toBe(says);
  });
});

describe('what a format does not show', () => {
  it.each([
    [
      'auditd.txt',
      'does not show listings, failed calls, io_uring, names relative to a descriptor and where new links lead (auditd)',
    ],
    ['sysdig.txt', 'does not show links, failed calls and fstatat, statx and readlink (sysdig)'],
    ['falco.json', 'does not show stat, links, listings, failed calls, io_uring and relative names (falco)'],
    [
      'tracee.json',
      'does not show stat, links, listings, failed calls, io_uring and names relative to a descriptor (tracee)',
    ],
    ['fatrace.txt', 'does not show stat, links, listings and failed calls (fatrace)'],
  ])('is said of %s: it %s', (name, gap) => {
    expect(readFixture(name).gaps).toEqual([gap]);
  });

  it('is said of an array of alerts, too', () => {
    const alert = { output: 'x', output_fields: { 'evt.type': 'open', 'fd.name': '/a' } };
    expect(readTrace(JSON.stringify([alert, alert])).gaps).toEqual([
      'does not show executions, stat, links, listings, failed calls, io_uring and relative names (falco)',
    ]);
  });

  it('is less where the trace has some of it', () => {
    const alert = (type: string, path: string, result: string) =>
      JSON.stringify({ output_fields: { 'evt.type': type, 'evt.arg.path': path, 'evt.res': result } });
    const text = [alert('stat', '/a', 'SUCCESS'), alert('mkdir', '/a', 'EEXIST')].join('\n');
    expect(readTrace(text).gaps).toEqual([
      'does not show executions, links, listings, io_uring and relative names (falco)',
    ]);
  });
});

it('errors have the numbers of Linux', () => {
  const { errno } = constants;
  // Of two names for a number, Linux has the first.
  const names = Object.entries(errno).filter(([name]) => !/^(?:EWOULDBLOCK|ENOTSUP)$/.test(name));
  const wrong = names.filter(
    ([name, number]) => errorName(-number) !== name && !/^E\d+$/.test(errorName(-number)),
  );
  expect(process.platform === 'linux' ? wrong : []).toEqual([]);
  expect(errorName(-512)).toBe('');
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Trace } from '../../src/trace/trace.ts';
import { writeTrace } from '../../src/trace/trace-file.ts';
import { anyTrace } from './any-trace.ts';
import { readTrace } from './read-trace.ts';
import { b } from '../support/bytes.ts';

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

  it('says in its header what the run needed apart from files, sorted', () => {
    const trace = readTrace(
      'socket(AF_UNIX, SOCK_STREAM, 0) = 3\nsocket(AF_INET, SOCK_RAW, 0) = 3\nlchown("/a", 1, 1) = 0\nchown("/a", 1, 1) = 0\n',
    );
    const [header = ''] = writeTrace(trace);
    expect((JSON.parse(header) as { rights: unknown }).rights).toEqual({
      complete: false,
      sockets: ['inet raw', 'unix stream'],
      capabilities: { chown: ['chown', 'lchown'], net_raw: ['socket'] },
    });
  });

  it('leaves out rights of other forms', () => {
    const rights = {
      complete: 1,
      sockets: ['inet stream', 'INET', 7, 'a b c', '$(x) y'],
      capabilities: { chown: ['fchown', 7, 'a b'], constructor: ['x'], all: ['x'], kill: 'kill' },
    };
    const header = JSON.stringify({ ocislim: 'trace', version: 1, rights });
    expect(readTrace(`${header}\n{"path":"a","uses":["open"]}\n`).rights).toEqual({
      isComplete: false,
      sockets: new Set(['inet stream']),
      capabilities: new Map([['chown', new Set(['fchown'])]]),
    });
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

import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OcislimError } from '../../src/errors.ts';
import { checkTrace, mergeTraces } from '../../src/trace/merge.ts';
import { readTrace, usesOf } from './read-trace.ts';
import { b } from '../support/bytes.ts';

const directory = new URL('../../fixtures/traces/', import.meta.url);

describe('a list of paths', () => {
  it('has one path a line, from the root with or without a slash', () => {
    const trace = readTrace(
      '# what find printed\n/usr/bin/app\n./etc/app.conf\n\nsrv//data/./x/\r\n/etc/passwd\n/sp ace\n',
    );
    expect(usesOf(trace)).toEqual({
      'etc/app.conf': 'open',
      'etc/passwd': 'open',
      'sp ace': 'open',
      'srv/data/x': 'open',
      'usr/bin/app': 'open',
    });
    expect(trace).toMatchObject({ formats: ['list'], lines: 6, knowsExecs: false, hasAllSyscalls: false });
  });

  it('may be separated by NUL, so that names hold any other byte', () => {
    const trace = readTrace('/a\nb\0./#c\0\0/usr/\xff\0');
    expect(Object.keys(usesOf(trace))).toEqual(['#c', 'a\nb', 'usr/\xff']);
  });

  it('keeps .. for the image to resolve', () => {
    expect([...readTrace('/a/../b\n../c\n').paths.keys()]).toEqual(['a/../b', '../c']);
  });

  it('may start with a byte order mark and end without a line break', () => {
    expect([...readTrace('\xef\xbb\xbf/a\n/b').paths.keys()]).toEqual(['a', 'b']);
  });

  it('has no path that Linux would refuse', () => {
    const trace = readTrace(`/a\n/b\n/${'n'.repeat(256)}\n`);
    expect(trace.unreadable.count).toBe(1);
    expect([...trace.paths.keys()]).toEqual(['a', 'b']);
  });
});

describe('--trace-root', () => {
  const lines = '/srv/one/usr/bin/app\n/srv/two/etc\n/srv/one\n/usr/bin/docker\n/srv/onetwo\n';

  it('is removed from paths, and paths outside of every one are counted', () => {
    const trace = readTrace(lines, { roots: [b('/srv/one/'), b('/srv/two')] });
    expect([...trace.paths.keys()]).toEqual(['usr/bin/app', 'etc']);
    expect(trace.outside).toBe(2);
  });

  it('that leaves no path is refused', () => {
    expect(() => checkTrace(readTrace(lines, { roots: [b('/elsewhere')] }))).toThrow(
      'the trace app.trace names no path below --trace-root, but 5 uses of paths outside of it',
    );
  });
});

describe('an unreadable line', () => {
  it('is counted and shown', () => {
    const trace = readTrace('open("/a", O_RDONLY) = 3\n\nhello from the program\nopen("/b", O_RDONLY) = 3\n');
    expect(trace.unreadable).toEqual({
      count: 1,
      samples: [{ file: 'app.trace', line: 3, text: 'hello from the program' }],
    });
  });

  it('is an error if most lines are', () => {
    const text = `open("/a", O_RDONLY) = 3\n${'who knows\n'.repeat(10)}`;
    expect(() => readTrace(text)).toThrow(
      /app\.trace looks like a trace in the format "strace", but 10 of 11 lines make no sense; line 2: who knows; .* line 6: who knows$/,
    );
  });

  it('does not exist in an empty trace, which is refused', () => {
    expect(() => checkTrace(readTrace(''))).toThrow('the trace app.trace is empty');
    expect(() => checkTrace(readTrace('open("/a", O_RDONLY) = -1 ENOENT (No such file)\n'))).toThrow(
      'the trace app.trace names no path that was used successfully',
    );
  });

  it('is one beyond the limit, of which little is kept', () => {
    const limits = { line: 1000 };
    const text = `/a\n${'x'.repeat(5000)}\n/b\n/c\n`;
    for (const chunk of [10, 999, 1 << 16]) {
      const trace = readTrace(text, { limits, chunk });
      expect([...trace.paths.keys()]).toEqual(['a', 'b', 'c']);
      expect(trace.unreadable).toMatchObject({ count: 1, samples: [{ line: 2 }] });
    }
  });

  it('too many paths are refused', () => {
    expect(() => readTrace('/a\n/b\n/c\n', { limits: { 'trace-paths': 2 } })).toThrow(
      'app.trace: it names more than 2 paths, and the limit trace-paths is 2',
    );
  });
});

describe('merged traces', () => {
  const one = readTrace('execve("/bin/a", ["a"], []) = 0\nopen("/etc/x", O_RDONLY) = 3\n', { file: 'one' });
  const two = readTrace('/etc/x\n/etc/y\n', { file: 'two' });

  it('hold what each of them saw', () => {
    const merged = mergeTraces([one, two, readTrace('chdir("/etc/x") = 0\n', { file: 'three' })]);
    expect(usesOf(merged)).toEqual({ 'bin/a': 'exec', 'etc/x': 'open stat', 'etc/y': 'open' });
    expect(merged).toMatchObject({
      name: 'one, two and three',
      formats: ['list', 'strace'],
      knowsExecs: true,
      command: ['a'],
      lines: 5,
    });
    expect([...merged.syscalls]).toEqual([
      ['execve', 1],
      ['open', 1],
      ['chdir', 1],
    ]);
  });

  it('must be of one platform and one image', () => {
    const of = (file: string, header: object) =>
      readTrace(
        `${JSON.stringify({ ocislim: 'trace', version: 1, ...header })}\n{"path":"a","uses":["open"]}\n`,
        {
          file,
        },
      );
    const [amd, arm, armv8] = ['linux/amd64', 'linux/arm64', 'linux/arm64/v8'].map((platform) =>
      of(platform, { platform }),
    ) as [typeof one, typeof one, typeof one];
    expect(() => mergeTraces([amd, one, arm])).toThrow(
      'the traces have different platforms: linux/amd64 is of linux/amd64, linux/arm64 of linux/arm64',
    );
    expect(mergeTraces([arm, one, armv8]).platform).toBe('linux/arm64/v8');
    const image = (digit: string) => of(digit, { image: `sha256:${digit.repeat(64)}` });
    expect(() => mergeTraces([image('a'), image('b')])).toThrow('the traces have different images');
    expect(mergeTraces([image('a'), two]).image).toBe(`sha256:${'a'.repeat(64)}`);
  });
});

describe('arbitrary bytes', () => {
  const pieces = fc.constantFrom(
    ...'12 |[pid 3] |openat(|AT_FDCWD|</a|>|"/etc/x"|"|\\|\\x4|, |O_RDONLY|)| = |3|-1|<unfinished ...>'.split(
      '|',
    ),
    ...'<... openat resumed>|\n|{|[|]|\0|+++ |--- |clone(|strace: Process 4 attached|chdir("|/|..|\xff'.split(
      '|',
    ),
    'execve("/x", ["a"], []) = 0\n',
  );

  it('are read, or refused with an error code', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(pieces, { maxLength: 60 }).map((parts) => Buffer.from(parts.join(''), 'latin1')),
          fc.uint8Array({ maxLength: 300 }),
        ),
        fc.integer({ min: 1, max: 50 }),
        readOrRefuse,
      ),
      { numRuns: 2000 },
    );
  });

  const fixtures = readdirSync(directory)
    .filter((name) => name.includes('.'))
    .map((name) => readFileSync(new URL(name, directory)));

  it('that damage a trace are read, or refused with an error code', () => {
    const edit = fc.tuple(fc.nat(), fc.nat(40), fc.uint8Array({ maxLength: 12 }));
    fc.assert(
      fc.property(fc.constantFrom(...fixtures), fc.array(edit, { maxLength: 8 }), (fixture, edits) => {
        let bytes = Buffer.from(fixture);
        for (const [place, length, put] of edits) {
          const start = place % (bytes.length + 1);
          bytes = Buffer.concat([bytes.subarray(0, start), put, bytes.subarray(start + length)]);
        }
        readOrRefuse(bytes, 64);
      }),
      { numRuns: 1000 },
    );
  });

  it.each([' ', '(', ')', '<', '"', '\\', ',', '1 ', '(1', ' =', '[', '{', 'a/', '../', '> <', 'execve('])(
    'in one long line of %j behind the beginning of each format take linear time',
    (piece) => {
      const beginnings = [
        '',
        '12 openat(',
        'chdir("',
        '7 clone(',
        'app(875): O   /a\napp(875): ',
        '{"path":',
      ];
      const long = piece.repeat(60_000 / piece.length);
      for (const beginning of beginnings)
        readOrRefuse(Buffer.from(`${beginning}${long}\n/x\n`, 'latin1'), 4096);
      for (const fixture of fixtures)
        readOrRefuse(Buffer.concat([fixture, Buffer.from(`\n${long}\n`, 'latin1')]), 1 << 16);
    },
  );
});

function readOrRefuse(bytes: Uint8Array, chunk: number): void {
  try {
    const trace = readTrace(bytes, { chunk });
    expect(trace.unreadable.count).toBeLessThanOrEqual(trace.lines);
    for (const path of trace.paths.keys()) expect(path).not.toMatch(/^$|^\/|\/$|\/\/|\0/);
  } catch (error) {
    if (!(error instanceof OcislimError)) throw error;
    expect(['TRACE_INVALID', 'LIMIT']).toContain(error.code);
  }
}

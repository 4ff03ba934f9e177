import { execFileSync } from 'node:child_process';
import * as fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { cleanPath } from '../../src/bytes/path.ts';
import { keepOption, phaseText, trialFailure } from '../../src/report/recording-text.ts';
import { createKeepMatcher } from '../../src/rules/rules.ts';
import { b } from '../support/bytes.ts';
import { expectHarmless, nasty } from '../support/hostile-text.ts';
import { recordingFacts, sampleFacts } from '../support/recording-facts.ts';

const [failed] = sampleFacts.trials;
if (failed === undefined) throw new Error('the sample has changed');
const facts = { ...sampleFacts, trials: [failed], seccomp: null };

describe('the text of a try that failed', () => {
  it('says in what it differs, how the program ended, and which options keep what it lacked', () => {
    const { message, lines, advice } = trialFailure(facts, ['starting', 'cannot open page.html']);
    expect(message).toBe(
      'the pruned image does not do what the original does (1 difference); nothing was published',
    );
    expect(lines.join('\n')).toBe(`GET http://:80/: expected 200, 600 bytes; found 500, 200 bytes
its program was ended by SIGTERM, when it was told to, after 4.3 s
the last lines that it printed:
  | starting
  | cannot open page.html
it asked for 2 paths that the original has and the pruned image has not; these keep them:
  --keep '/usr/share/app/caf?'  (/usr/share/app/caf\\xe9)
  --keep /usr/share/app/page.html`);
    expect(advice).toBe('Keep what is missing, or let ocislim put it back and try again: --repair 1.');
  });

  it('says of a program that ended by itself what that of the original did', () => {
    const end = { status: 1, signal: null, stopped: null, seconds: 0.2 };
    const differences = [
      { kind: 'end', name: '', expected: 'ran until it was stopped', found: 'ended with 1 by itself' },
      { kind: 'output', name: '', expected: '12 bytes', found: '12 other bytes' },
      { kind: 'probe', name: 'GET /a', expected: '200', found: 'was not asked' },
      { kind: 'probe', name: 'GET /b', expected: 'was not asked', found: 'it answers with 500' },
    ] as const;
    const trial = { run: { end, output: null, results: [] }, differences, missing: [] };
    const { lines, message, advice } = trialFailure({ ...facts, trials: [failed, trial] }, []);
    expect(message).toContain('(4 differences)');
    expect(lines).toEqual([
      'the program ended with 1 by itself; that of the original ran until it was stopped',
      'standard output: expected 12 bytes; found 12 other bytes',
      'GET /a: expected 200; it was not asked',
      'GET /b: it answers with 500; the original was not asked',
      'it printed nothing',
      'it asked for nothing that the original has and the pruned image has not',
    ]);
    expect(advice).toMatch(/^Keep more, with --granularity directory or --keep/);
  });

  it('proposes one repair more than there were, and names the profile under which it ran', () => {
    const trials = [failed, failed, failed];
    const { advice } = trialFailure({ ...facts, trials, seccomp: { calls: 9, isTried: true } }, []);
    expect(advice).toContain('--repair 3. It ran under the seccomp profile');
  });

  it('shows twenty of each, the last lines of the output, and how many more there are', () => {
    const many = <T>(item: (i: number) => T) => Array.from({ length: 1025 }, (_, i) => item(i));
    const trial = {
      ...failed,
      differences: many((i) => ({ kind: 'probe' as const, name: `GET /${i}`, expected: '1', found: '2' })),
      missing: many((i) => b(`usr/${i}`)),
    };
    const { lines } = trialFailure(
      { ...facts, trials: [trial] },
      many((i) => `line ${i}`),
    );
    expect(lines.filter((line) => line.startsWith('GET'))).toHaveLength(20);
    expect(lines[20]).toBe('and 1,005 more');
    expect(lines.filter((line) => line.startsWith('  | '))).toHaveLength(20);
    expect(lines).toContain('  | line 1024');
    expect(lines.filter((line) => line.startsWith('  --keep '))).toHaveLength(20);
    expect(lines.at(-1)).toBe('  and 1,005 more');
  });

  it('acts on no terminal and no CI log, whatever the facts and the output hold', () => {
    const property = fc.property(recordingFacts, fc.array(fc.string({ unit: 'binary' })), (given, output) => {
      if (given.trials.length === 0) return;
      const long = `${nasty}${'\u001b'.repeat(10_000)}`;
      const { message, lines, advice } = trialFailure(given, [...output, long]);
      for (const text of [message, ...lines, advice]) {
        expectHarmless(text, text);
        expect(text).not.toContain('\n');
        expect(text.length).toBeLessThan(2000);
      }
    });
    fc.assert(property);
  });

  it('is of a try: a recording without one has none', () => {
    expect(() => trialFailure({ ...facts, trials: [] }, [])).toThrow(RangeError);
  });
});

describe('the option that keeps a path', () => {
  it('reaches ocislim through a shell as a glob that matches the path', () => {
    const names = fc
      .array(fc.integer({ min: 1, max: 255 }), { minLength: 1, maxLength: 12 })
      .map((bytes) => b(String.fromCharCode(...bytes)))
      .filter((name) => !/(?:^|\/)\.{1,2}(?:\/|$)|^\/+$/.test(name));
    const property = fc.property(fc.array(names, { minLength: 20, maxLength: 60 }), (paths) => {
      const line = paths.map(keepOption).join(' ');
      const words = execFileSync('bash', ['-c', `printf '%s\\0' ${line}`], { encoding: 'utf8' }).split('\0');
      for (const [i, path] of paths.entries()) {
        expect(words[2 * i]).toBe('--keep');
        expect(createKeepMatcher([words[2 * i + 1] as string])(cleanPath(path))).not.toBeNull();
      }
    });
    fc.assert(property, { numRuns: 20 });
  });

  it('has no step upwards, which no rule may have', () => {
    expect(keepOption(b('usr/lib/../share/./x'))).toBe('--keep /usr/share/x');
    expect(keepOption(b('../etc/x'))).toBe('--keep /etc/x');
  });
});

test.each([
  [{ kind: 'record', run: 1, of: 2 }, 'recording the original, run 1 of 2'],
  [{ kind: 'prune', paths: 1214 }, 'pruning what no run used: 1,214 paths were used'],
  [{ kind: 'try', putBack: null }, 'trying the pruned image'],
  [{ kind: 'try', putBack: 1 }, 'trying the pruned image again, with 1 path put back'],
  [{ kind: 'publish' }, 'publishing: the pruned image does what the original does'],
] as const)('the progress of %j is told as "%s"', (phase, text) => {
  expect(phaseText(phase)).toBe(text);
});

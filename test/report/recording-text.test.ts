import { execFileSync } from 'node:child_process';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cleanPath } from '../../src/bytes/path.ts';
import { keepOption, trialFailure } from '../../src/report/recording-text.ts';
import { createKeepMatcher } from '../../src/rules/rules.ts';
import { b } from '../support/bytes.ts';
import { expectHarmless, nasty } from '../support/hostile-text.ts';
import { recordingFacts, sampleFacts } from '../support/recording-facts.ts';

const [trial] = sampleFacts.trials;
if (trial === undefined) throw new Error('the sample has changed');
const facts = { trials: [trial], seccomp: null };
const failed = { trial, facts, lines: [], refused: [] };
/** Returns the items of the list in a message, without its sentence. */
const itemsOf = ({ message }: { readonly message: string }) => message.split('\n  - ').slice(1);

describe('the text of a try that failed', () => {
  it('says in what it differs, how the program ended, and which options keep what it lacked', () => {
    const { message, advice } = trialFailure({
      ...failed,
      lines: ['starting', '', 'cannot open page.html'],
      refused: ['mknodat', 'ptrace'],
    });
    expect(
      message,
    ).toBe(`the pruned image does not do what the original does (1 difference); nothing was published
  - GET http://:80/: expected 200, 600 bytes; found 500, 200 bytes
  - its program was ended by SIGTERM, when it was told to, after 4.3 s
  - it printed: starting
  - it printed: cannot open page.html
  - the seccomp profile does not allow what it called: mknodat, ptrace
  - missing: --keep '/usr/share/app/caf?' (/usr/share/app/caf\\xe9)
  - missing: --keep /usr/share/app/page.html`);
    expect(advice).toBe(
      'Add the options that keep what is missing, or let ocislim put them back and try again: --repair 1. It ran under the seccomp profile: try it without --seccomp, too.',
    );
  });

  it('says of a program that ended by itself what that of the original did', () => {
    const end = { status: 1, signal: null, stopped: null, seconds: 0.2 };
    const differences = [
      { kind: 'end', name: '', expected: 'ran until it was stopped', found: 'ended with 1 by itself' },
      { kind: 'output', name: '', expected: '12 bytes', found: '12 other bytes' },
      { kind: 'probe', name: 'GET /a', expected: '200', found: 'was not asked' },
      { kind: 'probe', name: 'GET /b', expected: 'was not asked', found: 'it answers with 500' },
    ] as const;
    const run = { end, output: null, results: [] };
    const failure = trialFailure({ ...failed, trial: { run, differences, missing: [] } });
    expect(failure.message).toContain('(4 differences)');
    expect(itemsOf(failure)).toEqual([
      'the program ended with 1 by itself; that of the original ran until it was stopped',
      'standard output: expected 12 bytes; found 12 other bytes',
      'GET /a: expected 200; it was not asked',
      'GET /b: it answers with 500; the original was not asked',
      'it asked for no path that only the original has',
    ]);
    expect(failure.advice).toMatch(/^Keep more, with --granularity directory or --keep/);
  });

  it('is about the paths where nothing else differs', () => {
    const { message } = trialFailure({ ...failed, trial: { ...trial, differences: [] } });
    expect(message).toMatch(
      /^the pruned image asked for 2 paths that only the original has; nothing was published\n/,
    );
  });

  it('proposes one repair more than there were, and a try without the profile', () => {
    const trials = [trial, trial, trial];
    const { advice } = trialFailure({ ...failed, facts: { trials, seccomp: { calls: 9, isTried: true } } });
    expect(advice).toContain('--repair 3. It ran under the seccomp profile');
  });

  it('tells twenty of each, the last lines of the output, and how many more there are', () => {
    const many = <T>(item: (i: number) => T) => Array.from({ length: 1025 }, (_, i) => item(i));
    const differences = many((i) => ({
      kind: 'probe' as const,
      name: `GET /${i}`,
      expected: '1',
      found: '2',
    }));
    const items = itemsOf(
      trialFailure({
        ...failed,
        trial: { ...trial, differences, missing: many((i) => b(`usr/${i}`)) },
        lines: many((i) => `line ${i}`),
        refused: many((i) => `call${i}`),
      }),
    );
    expect(items.filter((item) => item.startsWith('GET'))).toHaveLength(20);
    expect(items[20]).toBe('and 1,005 more');
    expect(items.filter((item) => item.startsWith('it printed: '))).toHaveLength(20);
    expect(items).toContain('it printed: line 1024');
    expect(items.find((item) => item.includes('seccomp'))).toMatch(/: call0, .*, call19, and 1,005 more$/);
    expect(items.filter((item) => item.startsWith('missing: --keep '))).toHaveLength(20);
    expect(items.at(-1)).toBe('and 1,005 more');
  });

  it('acts on no terminal and no CI log, whatever the facts and the output hold', () => {
    const property = fc.property(recordingFacts, fc.array(fc.string({ unit: 'binary' })), (given, output) => {
      const long = `${nasty}${'\u001b'.repeat(10_000)}`;
      for (const each of given.trials) {
        const failure = trialFailure({
          trial: each,
          facts: given,
          lines: [...output, long],
          refused: [nasty],
        });
        for (const text of [...failure.message.split('\n  - '), failure.advice]) {
          expectHarmless(text, text);
          expect(text).not.toContain('\n');
          expect(text.length).toBeLessThan(2000);
        }
      }
    });
    fc.assert(property);
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

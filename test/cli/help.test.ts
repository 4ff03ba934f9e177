import { describe, expect, test } from 'vitest';
import { commands } from '../../src/cli/commands/all.ts';
import { renderHelp } from '../../src/cli/help/command-help.ts';
import { commandLine } from '../../src/cli/help/layout.ts';
import { purposes, renderIntroduction, renderOverview } from '../../src/cli/help/overview.ts';
import { parseCommandLine } from '../../src/cli/parser.ts';
import { listOptions } from '../../src/settings/option.ts';
import { wrap } from '../../src/report/table.ts';
import { callCli } from '../support/cli.ts';
import { parseCommand } from '../../src/settings/command-words.ts';

const named = commands.map((command) => [command.name, command] as const);
const widths = [60, 80, 100, 200];

function linesOf(text: string): string[] {
  return text.trimEnd().split('\n');
}

/** Returns the words of a command line of ours, up to a pipe, without the name of the program. */
function wordsOf(line: string): readonly string[] {
  const [own = ''] = line.split(/ [|>] /);
  return parseCommand(own).slice(1);
}

describe.each(named)('the help of %s', (name, command) => {
  const show = (all: boolean, columns?: number) =>
    renderHelp(command, { all, env: {}, terminal: columns === undefined ? {} : { columns } });

  test.each(widths)('fits %i columns', (columns) => {
    for (const all of [false, true])
      expect(linesOf(show(all, columns)).filter((line) => line.length > Math.min(columns, 100))).toEqual([]);
  });

  test('is 80 columns wide without a terminal', () => {
    expect(show(true)).toBe(show(true, 80));
  });

  test('begins with what the command does, then its usage and examples, then options', () => {
    const text = show(true);
    const [first = ''] = linesOf(text);
    expect(`${command.describe}.`.toLowerCase()).toContain(first.toLowerCase());
    const at = [
      '\n\nUsage: ',
      '\n\nExamples:\n',
      ...(listOptions(command.options).length > 0 ? [' --'] : []),
    ].map((part) => text.indexOf(part));
    expect(at).not.toContain(-1);
    expect(at.slice(0, 2)).toEqual(at.slice(0, 2).toSorted((a, b) => a - b));
  });

  test('has every option with --help-all, and names the kinds of those that it leaves out', () => {
    const [short, long] = [show(false), show(true)];
    for (const option of listOptions(command.options)) {
      expect(long).toMatch(new RegExp(`^ {2}(?:-., )?--${option.name}\\b`, 'm'));
      const isShown = new RegExp(`^ {2}(?:-., )?--${option.name}\\b`, 'm').test(short);
      if (!isShown) expect(short).toContain(`\n  ${option.group} `);
      if (typeof option.default === 'string' || typeof option.default === 'number')
        expect(long.replaceAll(/\s+/g, ' ')).toContain(`default: ${option.default}]`);
    }
    expect(short.length).toBeLessThanOrEqual(long.length);
  });

  test.each(command.examples.map(([line]) => [line]))(
    'has an example that can be typed: %s',
    async (line) => {
      await expect(parseCommandLine(wordsOf(line), {})).resolves.toBeTypeOf('function');
    },
  );

  test.each([
    [name, '--help'],
    [name, '-h'],
    ['help', name],
    [name, 'some', 'words', '--help'],
    ['--help', name],
  ])('is shown by %s %s', async (...args) => {
    const { status, stdout, stderr } = await callCli(args);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toBe(show(false));
  });

  test('is shown whole by --help-all', async () => {
    expect((await callCli([name, '--help-all'])).stdout).toBe(show(true));
    expect((await callCli(['help', name, '--help-all'])).stdout).toBe(show(true));
  });

  test('names variables that set an option, and never their values', () => {
    const options = listOptions(command.options).filter(({ name: each }) => each === 'creds');
    const text = renderHelp(command, { all: true, env: { OCISLIM_CREDS: 'me:pa55word' }, terminal: {} });
    if (options.length > 0) expect(text.replaceAll(/\s+/g, ' ')).toContain('[set by $OCISLIM_CREDS]');
    expect(text).not.toContain('pa55word');
  });
});

describe('the first screen', () => {
  test('shows what people do, and ends with the status of wrong usage: nothing was done', async () => {
    const { status, stdout, stderr } = await callCli([]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    for (const [purpose] of purposes) expect(stderr.replaceAll(/\s+/g, ' ')).toContain(purpose);
    expect(stderr).toContain('"ocislim help"');
  });

  test.each(purposes)('has a command line to %s', async (_, line) => {
    await expect(parseCommandLine(wordsOf(line), {})).resolves.toBeTypeOf('function');
  });

  test.each(widths)('fits %i columns, as the list of commands does', (columns) => {
    const both = renderIntroduction({ columns }) + renderOverview(commands, { columns });
    expect(linesOf(both).filter((line) => line.length > Math.min(columns, 100))).toEqual([]);
  });
});

describe('the program', () => {
  test.each([[['help']], [['--help']], [['-h']], [['--help-all']], [['help', 'help']]])(
    'lists its commands for %j',
    async (args) => {
      const { status, stdout, stderr } = await callCli(args);
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      for (const { name } of commands) expect(stdout).toMatch(new RegExp(`^ {2}${name} `, 'm'));
    },
  );

  test.each([[['version']], [['--version']], [['-V']], [['squash', '--version']], [['-V', 'squash']]])(
    'says its version for %j',
    async (args) => {
      const { status, stdout } = await callCli(args);
      expect(status).toBe(0);
      expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    },
  );
});

describe('presets', () => {
  test.each([[['presets']], [['prune', '--preset', 'help']], [['slim', 'oci:app:1', '--preset=help']]])(
    'are listed by %j, with what they remove and which of them slim uses',
    async (args) => {
      const { status, stdout } = await callCli(args);
      expect(status).toBe(0);
      expect(stdout).toMatch(/^ {2}apt-lists +slim +none +package lists of apt$/m);
      expect(stdout).toMatch(/^ {2}docs {2,}low +documentation/m);
    },
  );

  test('are shown with their rules by name', async () => {
    const { stdout } = await callCli(['presets', 'apt-lists,vcs', 'setuid']);
    expect(stdout).toMatch(/^apt-lists: .*slim uses it by default/m);
    expect(stdout).toMatch(/^ {4}var\/lib\/apt\/lists\/\*\*$/m);
    expect(stdout).toMatch(/Clears setuid and setgid bits/);
  });

  test('are data for programs', async () => {
    const all = JSON.parse((await callCli(['presets', '--format', 'json'])).stdout) as {
      readonly name: string;
      readonly slim: boolean;
      readonly rules: readonly unknown[];
    }[];
    expect(all.filter(({ slim }) => slim).map(({ name }) => name)).toContain('apt-lists');
    expect(all.every(({ rules }) => rules.length > 0)).toBe(true);
    const one = JSON.parse((await callCli(['presets', 'docs', '--format', 'json'])).stdout) as {
      name: string;
    }[];
    expect(one.map(({ name }) => name)).toEqual(['docs']);
  });

  test('that there are not are told of with the nearest', async () => {
    const { status, stderr } = await callCli(['presets', 'dosc']);
    expect(status).toBe(2);
    expect(stderr).toContain('Did you mean docs?');
  });
});

describe('a command line that is too long', () => {
  test('goes on behind a backslash, with options beside their values', () => {
    const line = 'ocislim prune oci:app:1 oci:app:slim --keep "a b c" --rule usr/share/doc --shadowed';
    const lines = commandLine(line, 44);
    expect(lines.join('\n')).toBe(
      [
        '  ocislim prune oci:app:1 oci:app:slim \\',
        '    --keep "a b c" --rule usr/share/doc \\',
        '    --shadowed',
      ].join('\n'),
    );
    expect(
      lines
        .join('\n')
        .replaceAll(/ \\\n +/g, ' ')
        .trim(),
    ).toBe(line);
  });

  test('has a word that is too long on a line of its own', () => {
    expect(wrap(`a ${'b'.repeat(30)} c`, 10)).toEqual(['a', 'b'.repeat(30), 'c']);
  });
});

/**
 * `ocislim explore` on a real terminal, which tmux is: what its screen shows, what keys do, and that the terminal is as before when it
 * ends, however it ends.
 */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cliScript } from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';
import { buildImage } from '../support/image-builder.ts';
import { openScene } from '../support/scene.ts';
import { tar } from '../support/model/shorthand.ts';

const run = promisify(execFile);

const scene = openScene(() => ({
  app: buildImage({
    layers: [
      tar(
        'usr/',
        'usr/bin/',
        `usr/bin/tool=${'t'.repeat(5000)}`,
        'usr/share/',
        `usr/share/manual=${'m'.repeat(3000)}`,
      ),
      tar('app/', `app/main=${'a'.repeat(1000)}`, 'odd*name=12'),
    ],
  }),
}));

let panes = 0;

/** A shell in a terminal of its own. */
class Pane {
  readonly #socket = scene.path(`tmux-${++panes}`);

  async open(columns: number, rows: number, env: Readonly<Record<string, string>> = {}): Promise<void> {
    const variables = Object.entries({ PS1: 'ready$ ', LANG: 'C.UTF-8', ...env }).flatMap(([name, value]) => [
      '-e',
      `${name}=${value}`,
    ]);
    const size = ['-x', String(columns), '-y', String(rows)];
    await this.tmux(
      '-f',
      '/dev/null',
      'new-session',
      '-d',
      ...size,
      '-c',
      scene.folder,
      ...variables,
      'bash',
      '--norc',
      '--noprofile',
    );
    await this.shows('ready$');
  }

  async tmux(...args: readonly string[]): Promise<string> {
    return (await run('tmux', ['-u', '-S', this.#socket, ...args])).stdout;
  }

  /** Types a command, and presses Enter. */
  async type(text: string): Promise<void> {
    await this.tmux('send-keys', '-l', text);
    await this.tmux('send-keys', 'Enter');
  }

  async press(...keys: readonly string[]): Promise<void> {
    for (const key of keys) await this.tmux('send-keys', key);
  }

  explore(...options: readonly string[]): Promise<void> {
    return this.type([process.execPath, cliScript, 'explore', 'oci:layout:app', ...options].join(' '));
  }

  /** Waits until the screen has a text, and returns it. */
  shows(text: string | RegExp): Promise<string> {
    return eventually(async () => {
      const screen = await this.tmux('capture-pane', '-p');
      expect(screen).toMatch(text);
      return screen;
    });
  }

  /** Asserts that the terminal is that of the shell: its screen, cursor, mouse, echo. */
  async isRestored(): Promise<void> {
    const modes = '#{alternate_on} #{cursor_flag} #{mouse_any_flag} #{wrap_flag}';
    await eventually(async () => expect((await this.tmux('display', '-p', modes)).trim()).toBe('0 1 0 1'));
    await this.tmux('send-keys', 'C-l');
    await this.type('stty -a | tr ";" "\\n" | grep -c -w -e "^.*isig icanon" -e " echo "');
    await this.shows(/^[12]$/m);
  }

  close(): Promise<unknown> {
    return this.tmux('kill-server').catch(() => null);
  }
}

let pane: Pane;
beforeEach(() => void (pane = new Pane()));
afterEach(() => pane.close());

const literal = (text: string): RegExp => new RegExp(text.replace(/[^\w\s]/g, '\\$&'));

describe('explore', () => {
  test('shows layers and tree, opens a directory, and gives the terminal back', async () => {
    await pane.open(80, 24);
    await pane.explore();
    await pane.shows(/› +8\.0 kB \S+ +▸ usr\//);
    await pane.press('Right');
    await pane.shows(/5\.0 kB \S+ +▸ bin\//);
    await pane.press('q');
    await pane.isRestored();
  });

  test('marks a path, writes a rule for it, and prints the command, which prunes that path', async () => {
    await pane.open(120, 40);
    await pane.explore('--keymap', 'ncdu');
    await pane.shows('▸ usr/');
    await pane.press('G');
    await pane.shows(/› +2 B +odd\*name/);
    await pane.press('d');
    await pane.shows(/marked: 1 path → saves 2 B unpacked/);
    await pane.press('w', 'Enter');
    await pane.shows(literal('ocislim prune oci:layout:app DST --rules rules.txt'));
    expect(await readFile(scene.path('rules.txt'), 'utf8')).toContain('/odd\\*name\n');
    await pane.press('Enter', 'w', 'Enter');
    await pane.shows(literal('rules.txt exists. Replace it? (y/n)'));
    await pane.press('n', 'q');
    await pane.isRestored();
    const { platforms } = await scene.report(
      'prune',
      scene.at('app'),
      scene.at('slim'),
      '--rules',
      scene.path('rules.txt'),
    );
    expect(platforms[0]?.slimming?.removed.map(({ path, size }) => [path, size])).toEqual([['odd*name', 2]]);
  });

  test('shows the contents of a file, and extracts it under a harmless name', async () => {
    await pane.open(80, 24);
    await pane.explore();
    await pane.shows('▸ usr/');
    await pane.press('G', 'v');
    await pane.shows(literal('/odd*name  2 B  [text] hex'));
    await pane.press('Tab');
    await pane.shows(literal('00000000  31 32'));
    await pane.press('q', 'x');
    await pane.shows(literal('Extract to: odd_name'));
    await pane.press('Enter');
    await pane.shows('extracted to odd_name; the digest of the layer is right');
    expect(await readFile(scene.path('odd_name'), 'utf8')).toBe('12');
    await pane.press('x', 'Enter');
    await pane.shows(literal('odd_name exists. Replace it? (y/n)'));
    await pane.press('y');
    await pane.shows('extracted to odd_name');
    await pane.press('q');
    await pane.isRestored();
  });

  test('draws the screen again when its size changes', async () => {
    await pane.open(80, 24);
    await pane.explore();
    await pane.shows('▸ usr/');
    await pane.tmux('resize-window', '-x', '60', '-y', '15');
    const small = await pane.shows(/nothing is marked[^]*keys/);
    await eventually(async () => {
      const lines = (await pane.tmux('capture-pane', '-p')).trimEnd().split('\n');
      expect([lines.length, lines[14]]).toEqual([15, expect.stringContaining('?:keys') as string]);
    });
    expect(small).toContain('usr/');
    await pane.press('q');
    await pane.isRestored();
  });

  test.each([
    ['Ctrl-C', (own: Pane) => own.press('C-c')],
    ['SIGTERM', (own: Pane) => signal(own, 'TERM')],
    ['SIGHUP', (own: Pane) => signal(own, 'HUP')],
    ['SIGINT from elsewhere', (own: Pane) => signal(own, 'INT')],
  ])('gives the terminal back after %s', async (_, end) => {
    await pane.open(80, 24);
    await pane.explore();
    await pane.shows('▸ usr/');
    await end(pane);
    await pane.isRestored();
  });

  test('stops at Ctrl-Z with the terminal given back, and goes on where it was', async () => {
    await pane.open(80, 24);
    await pane.explore();
    await pane.shows('▸ usr/');
    await pane.press('Right');
    await pane.shows('▸ bin/');
    await pane.press('C-z');
    await pane.shows('Stopped');
    await pane.isRestored();
    await pane.type('fg');
    await pane.shows('▸ bin/');
    await pane.press('q');
    await pane.isRestored();
  });

  test('understands the mouse', async () => {
    await pane.open(80, 24);
    await pane.explore();
    await pane.shows(/› +8\.0 kB/);
    // Presses as a terminal reports them: on the second row of the tree, then again, which opens it.
    await pane.tmux('send-keys', '-l', '\u001b[<0;50;4M\u001b[<0;50;4m\u001b[<0;50;4M');
    await pane.shows(/› +1\.0 kB \S+ +▾ app\//);
    await pane.press('q');
    await pane.isRestored();
  });

  test('has no colours under NO_COLOR', async () => {
    await pane.open(80, 24, { NO_COLOR: '1' });
    await pane.explore();
    await pane.shows('▸ usr/');
    // oxlint-disable-next-line no-control-regex
    expect(await pane.tmux('capture-pane', '-p', '-e')).not.toMatch(/\u001b\[[\d;]*3[0-8]m/);
    await pane.press('q');
  });
});

/** Sends a signal to the program in the foreground of a pane. */
async function signal(own: Pane, name: string): Promise<void> {
  const shell = (await own.tmux('display', '-p', '#{pane_pid}')).trim();
  const { stdout } = await run('ps', ['-o', 'pid=', '--ppid', shell]);
  for (const pid of stdout.trim().split(/\s+/)) process.kill(Number(pid), `SIG${name}`);
}

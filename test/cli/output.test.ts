import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { callCli } from '../support/cli.ts';
import { buildImage, writeLayout } from '../support/image-builder.ts';
import { writeTar } from '../support/model/tar-bytes.ts';

test('presets are listed without an image', async () => {
  const { status, stdout } = await callCli(['prune', '--preset', 'help']);
  expect(status).toBe(0);
  expect(stdout).toMatch(/^apt-lists +slim +risk none/);
});

test('prune without an image says so', async () => {
  const { status, stderr } = await callCli(['prune', '--shadowed']);
  expect(status).toBe(2);
  expect(stderr).toContain('prune needs an image to read');
});

test('export to a pipe that closes ends as SIGPIPE would end it, without a word', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ocislim-pipe-'));
  const tar = writeTar([{ type: 'file', name: 'big', body: new Uint8Array(8 * 1024 * 1024) }]);
  await writeLayout(join(folder, 'image'), { v1: buildImage({ layers: [tar], compress: 'gzip' }) });
  const runner = fileURLToPath(new URL('../support/run-cli.ts', import.meta.url));
  const child = spawn(process.execPath, [runner, 'export', `oci:${join(folder, 'image')}:v1`, '-', '-q'], {
    env: { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (text: Buffer) => void (stderr += text.toString()));
  child.stdout.once('data', () => child.stdout.destroy());
  const status = await new Promise((resolve) => child.on('close', resolve));
  expect({ status, stderr }).toEqual({ status: 141, stderr: '' });
  expect(readdirSync(folder)).toEqual(['image']);
  rmSync(folder, { recursive: true });
});

/**
 * What every server must stand: one command records it, prunes it, tries the result and publishes. Programs of others accept what was
 * published, and it answers every probe when it is recorded itself.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { ocislim } from '../../support/e2e/cli.ts';
import { type JudgedManifest, openLayout, pull, unpack } from '../../support/e2e/judge.ts';
import { run, runToEnd } from '../../support/e2e/programs.ts';
import { asRunner, leftOf, nothingLeft, type Runner } from '../../support/e2e/runners.ts';
import type { Server } from '../../support/e2e/servers.ts';

interface Printed {
  readonly run: { readonly stopped: string | null };
  readonly probes: readonly { readonly name: string; readonly ok: boolean; readonly status: number | null }[];
}

/** The files of a server's image in a work folder that everyone can enter. */
export interface Scene {
  readonly server: Server;
  readonly layout: string;
  readonly work: string;
}

/** Slims the image as a runner, from a layout to a layout, and judges the result. */
export async function expectSlimmed(scene: Scene, runner: Runner): Promise<void> {
  const { server, layout, work } = scene;
  const call = asRunner(work, server.name, runner);
  const [source, result] = [`oci:${layout}:v1`, join(call.home, 'slim')];
  const report = join(call.home, 'report.json');
  const [program, ...args] = call.line([
    'slim',
    source,
    `oci:${result}:v1`,
    '--progress=none',
    `--report=${report}`,
    '--record',
    // Packing well is the business of other tests.
    '--compression=gzip',
    '--level=1',
    '--run-for=1',
    ...server.asked,
  ]);
  const ended = await runToEnd(program, args, { env: call.env });
  expect(ended.status, ended.stderr).toBe(0);
  expect(ended.stdout).toMatch(/^\S+@sha256:[0-9a-f]{64}\n$/);
  expect(leftOf(call)).toEqual(nothingLeft);
  await expectSmaller(scene, (await openLayout(result)).manifest);
  await expectProven(source, `oci:${result}:v1`, report);
  await expectWorking(scene, result, runner);
}

/** Asserts that an image is smaller by the factor of its server. */
export async function expectSmaller({ server, layout }: Scene, manifest: JudgedManifest): Promise<void> {
  const size = ({ layers }: JudgedManifest) => layers.reduce((sum, layer) => sum + layer.size, 0);
  const { manifest: original } = await openLayout(layout);
  expect(size(original) / size(manifest)).toBeGreaterThan(server.factor);
}

/** Asserts that the result is the original less what its report says. */
async function expectProven(source: string, result: string, report: string): Promise<void> {
  const { status, stderr, stdout } = await ocislim(['verify', source, result, '--removed-by', report]);
  expect(status, stdout + stderr).toBe(0);
}

/** Asserts that skopeo and umoci accept a layout, that it lacks what nothing used, and that it answers every probe as a runner starts it. */
export async function expectWorking(
  { server, work }: Pick<Scene, 'server' | 'work'>,
  layout: string,
  runner: Runner,
): Promise<void> {
  await pull(`oci:${layout}:v1`, `${layout}-pulled`);
  await unpack(`${layout}-pulled`, `${layout}-rootfs`);
  for (const path of server.used)
    expect([path, existsSync(join(`${layout}-rootfs`, path))]).toEqual([path, true]);
  for (const path of server.unused)
    expect([path, existsSync(join(`${layout}-rootfs`, path))]).toEqual([path, false]);
  await run('chmod', ['-R', 'a+rX', `${layout}-pulled`]);
  const call = asRunner(work, `${server.name}-again`, runner);
  const [program, ...args] = call.line([
    'trace',
    'record',
    `--image=oci:${layout}-pulled:v1`,
    `--output=${join(call.home, 'again.trace')}`,
    '--run-for=0',
    '--format=json',
    ...server.asked,
  ]);
  const { status, stdout, stderr } = await runToEnd(program, args, { env: call.env });
  expect(status, stderr).toBe(server.status);
  const { probes } = JSON.parse(stdout) as Printed;
  expect(probes.filter(({ ok }) => !ok)).toEqual([]);
  expect(probes).toHaveLength(server.probes);
  expect(leftOf(call)).toEqual(nothingLeft);
  expect(readFileSync(join(call.home, 'again.trace'), 'utf8')).not.toContain('ocislim-');
}

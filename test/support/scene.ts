/**
 * A folder with images in OCI layouts, and the command line over it. Tests of commands open one per file, and name the
 * images in it by tag.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import type { Report } from '../../src/report/report.ts';
import { reportSchema } from '../../src/report/schema.ts';
import { callCli, type CliResult } from './cli.ts';
import { type BuiltTree, type ReadImage, readImage, writeLayout } from './image-builder.ts';

export class Scene {
  #folder = '';
  #reports = 0;

  /** Returns the folder. It exists from `beforeAll` to `afterAll` of the suite that opened the scene. */
  get folder(): string {
    return this.#folder;
  }

  /** Makes the folder, with these images in the layout `layout`. */
  async open(images: Readonly<Record<string, BuiltTree>>): Promise<void> {
    this.#folder = await mkdtemp(join(tmpdir(), 'ocislim-cli-'));
    await this.writeLayout(images);
  }

  async close(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** Writes a layout that holds exactly these images, by tag. */
  async writeLayout(images: Readonly<Record<string, BuiltTree>>, layout = 'layout'): Promise<void> {
    await writeLayout(this.path(layout), images);
  }

  /** Returns a path in the folder. */
  path(...names: readonly string[]): string {
    return join(this.#folder, ...names);
  }

  /** Returns the reference of a tag of a layout. */
  at(tag: string, layout = 'layout'): string {
    return `oci:${this.path(layout)}:${tag}`;
  }

  /** Writes a file of the folder, and returns its path. */
  async write(name: string, content: string | Uint8Array): Promise<string> {
    await writeFile(this.path(name), content);
    return this.path(name);
  }

  /** Reads the image that a layout has under a tag. */
  read(tag: string, layout = 'layout', platform?: string): Promise<ReadImage> {
    return readImage(this.path(layout), { tag, ...(platform === undefined ? {} : { platform }) });
  }

  /** Runs a command that must succeed. */
  async run(...args: readonly string[]): Promise<CliResult> {
    const result = await callCli(args);
    expect(result.status, result.stderr).toBe(0);
    return result;
  }

  /** Runs a command that must succeed, and returns what it prints, without the newline at the end. */
  async succeed(...args: readonly string[]): Promise<string> {
    return (await this.run(...args)).stdout.trim();
  }

  /** Runs a command that must succeed, and returns its report. */
  async report(...args: readonly string[]): Promise<Report> {
    const file = this.path(`report-${++this.#reports}.json`);
    await this.succeed(...args, '--report', file);
    return reportSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  }

  /** Asserts that two references name the same image, by the word of `verify`. */
  async expectSame(one: string, other: string, ...options: readonly string[]): Promise<void> {
    const { status, stdout } = await callCli(['verify', one, other, ...options]);
    expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringContaining('the same') as string });
  }
}

/** Opens a scene before the tests of a file or suite, and removes it after them. */
export function openScene(images: () => Readonly<Record<string, BuiltTree>> = () => ({})): Scene {
  const scene = new Scene();
  beforeAll(() => scene.open(images()));
  afterAll(() => scene.close());
  return scene;
}

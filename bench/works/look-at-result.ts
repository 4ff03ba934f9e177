/**
 * Inspects the result of a run: its form, its number of layers and its size. A result of another form is a failure,
 * however quick it was.
 */
import { execFile } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { promisify } from 'node:util';
import { readManifest, type ManifestFile } from '../inputs/layout-files.ts';
import type { Output } from '../results.ts';
import { resultArchive, resultBlob, resultLayout, type Contender, type Task, type Work } from './work.ts';

/**
 * Returns the layers of a result; null where a work makes none. @throws Error where the result is missing, or is
 * something else
 */
export async function lookAtResult(
  { form, verify, layers }: Work,
  { makes, dropsLayers }: Contender,
  task: Task,
  signal: AbortSignal,
): Promise<Output | null> {
  const made = makes ?? (verify === null ? 'nothing' : form);
  const expected = makes === 'blobs' ? task.layers.length : layers(task.layers.length);
  const output = await look(made, task, signal);
  if (output === null) return null;
  const enough = output.layers > 0 && output.layers < expected && dropsLayers === true;
  if (output.layers !== expected && !enough)
    throw new Error(`the result has ${output.layers} layers instead of ${expected}`);
  if (output.size === 0) throw new Error('the result is empty');
  return output;
}

async function look(
  made: Work['form'] | NonNullable<Contender['makes']>,
  task: Task,
  signal: AbortSignal,
): Promise<Output | null> {
  switch (made) {
    case 'layout':
      return sumUp(readManifest(resultLayout(task)));
    case 'registry': {
      const [, host, name, tag] = /^([^/]+)\/(.+):([^:]+)$/.exec(task.registry.target) ?? [];
      const response = await fetch(`http://${host}/v2/${name}/manifests/${tag}`, {
        headers: {
          accept:
            'application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json',
        },
        signal,
      });
      if (!response.ok) throw new Error(`there is no result in the registry: status ${response.status}`);
      return sumUp((await response.json()) as ManifestFile);
    }
    case 'archive':
      return lookAtArchive(resultArchive(task), signal);
    case 'blobs': {
      const files = task.layers.map((_, i) => resultBlob(task, i)).filter((file) => existsSync(file));
      return { layers: files.length, size: files.reduce((sum, file) => sum + statSync(file).size, 0) };
    }
    case 'nothing':
    case 'none':
      return null;
  }
}

function sumUp({ layers }: ManifestFile): Output {
  return { layers: layers.length, size: layers.reduce((sum, { size }) => sum + size, 0) };
}

async function lookAtArchive(file: string, signal: AbortSignal): Promise<Output> {
  const run = promisify(execFile);
  const { stdout } = await run('tar', ['-xOf', file, '--wildcards', '*manifest.json'], { signal });
  const [image] = JSON.parse(stdout) as readonly { readonly Layers: readonly string[] }[];
  return { layers: image?.Layers.length ?? 0, size: statSync(file).size };
}

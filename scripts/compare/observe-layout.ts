import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { digestOfFile } from './digests.ts';
import { type Fact, factOf } from './observation.ts';

interface Descriptor {
  readonly mediaType?: string;
  readonly digest: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly platform?: Readonly<Record<string, string>>;
}

interface Document {
  readonly manifests?: readonly Descriptor[];
  readonly config?: Descriptor;
  readonly layers?: readonly Descriptor[];
}

/**
 * Adds the facts of an OCI layout below the root: each document and each layer that `index.json` leads to, and the names of
 * all other blobs. A layer's digest is that of its bytes, whatever the name of its file.
 */
export async function observeLayout(folder: string, root: string, facts: Map<string, Fact>): Promise<void> {
  const key = relative(root, folder);
  const unnamed = new Set(await readdir(join(folder, 'blobs/sha256')).catch(() => []));
  const fileOf = ({ digest }: Descriptor): string => {
    unnamed.delete(digest.replace('sha256:', ''));
    return join(folder, 'blobs', ...digest.split(':'));
  };
  const visit = async (descriptor: Descriptor, at: string): Promise<void> => {
    const fact = factOf(await readFile(fileOf(descriptor), 'utf8'));
    facts.set(at, fact);
    const document = fact.kind === 'json' ? (fact.value as Document) : {};
    for (const [i, child] of (document.manifests ?? []).entries())
      await visit(child, `${at}, ${nameOf(child) ?? `part ${i + 1}`}`);
    for (const [i, layer] of (document.layers ?? []).entries())
      facts.set(`${at}, layer ${i + 1}`, await layerFact(layer, fileOf(layer), root));
    // The config is visited as a document too, and has a member `config` that is not a descriptor.
    if (document.config?.digest !== undefined) await visit(document.config, `${at}, config`);
  };
  const index = JSON.parse(await readFile(join(folder, 'index.json'), 'utf8')) as Document;
  facts.set(`${key}/index.json`, { kind: 'json', value: index });
  for (const child of index.manifests ?? []) await visit(child, `${key}:${nameOf(child) ?? child.digest}`);
  if (unnamed.size > 0)
    facts.set(`${key}, blobs that are not named`, { kind: 'lines', lines: [...unnamed].sort() });
}

async function layerFact({ mediaType = '' }: Descriptor, file: string, root: string): Promise<Fact> {
  return { kind: 'layer', digest: await digestOfFile(file), mediaType, file: relative(root, file) };
}

function nameOf({ annotations, platform }: Descriptor): string | null {
  const name = annotations?.['org.opencontainers.image.ref.name'];
  return name ?? (platform === undefined ? null : Object.values(platform).join('/'));
}

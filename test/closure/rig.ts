/**
 * Builders for closures: images, ELF files, scripts, traces and runtimes in a few words. The tests of closure and rootfs use them,
 * and fuzz targets.
 */
import { type ByteString } from '../../src/bytes/bytes.ts';
import type { Path } from '../../src/bytes/path.ts';
import { type Filesystem, mergeStack } from '../../src/rootfs/filesystem.ts';
import type { LayerIndex } from '../../src/changeset/layer-index.ts';
import { buildStack } from '../../src/changeset/stack.ts';
import type { Runtime } from '../../src/oci/runtime.ts';
import { type Closure, type ClosureInput, closeOver } from '../../src/closure/closure.ts';
import { explain } from '../../src/closure/explain.ts';
import type { ClosureRule } from '../../src/closure/rule.ts';
import { FactCollector } from '../../src/rootfs/facts/collector.ts';
import type { Elf, FileFacts } from '../../src/rootfs/facts/facts.ts';
import type { FilePart } from '../../src/rootfs/facts/file-part.ts';
import type { SourceModules } from '../../src/rootfs/facts/named-modules.ts';
import { noRights } from '../../src/trace/rights.ts';
import { type Trace, uses } from '../../src/trace/trace.ts';
import { indexOf } from '../changeset/rig.ts';
import { bytesOf } from '../support/model/byte-string.ts';
import type { EntrySpec } from '../support/model/tar-bytes.ts';
import { p, b, type Plain } from '../support/bytes.ts';

/** What is at a path of an image: an entry of a tar, and the facts that a scan would have. */
export interface Thing {
  readonly entry: Omit<EntrySpec, 'name'>;
  readonly elf?: Elf;
  readonly script?: ByteString;
  readonly contents?: Uint8Array;
  readonly mentions?: readonly ByteString[];
  readonly parts?: readonly FilePart[];
}

/** Mode, owner and the like. */
export type Attributes = Omit<EntrySpec, 'name' | 'type' | 'body' | 'linkname'>;

/** Returns a file with these contents (one byte a character), which are facts. */
export function text(contents: string, attributes: Attributes = {}): Thing {
  const bytes = bytesOf(contents);
  return { entry: { ...attributes, body: bytes }, contents: bytes };
}

/** Returns a file of this size, without facts. */
export function file(bytes = 0, attributes: Attributes = {}): Thing {
  return { entry: { ...attributes, body: new Uint8Array(bytes) } };
}

/** Returns a directory. */
export function directory(attributes: Attributes = {}): Thing {
  return { entry: { ...attributes, type: 'dir' } };
}

/** Returns a symlink. */
export function symlink(target: string): Thing {
  return { entry: { type: 'symlink', linkname: target } };
}

/** Returns a hard link. Its target must precede it in the table. */
export function hardLink(target: string): Thing {
  return { entry: { type: 'link', linkname: target } };
}

/** Returns an ELF file for x86-64 with these facts, and no others. */
export function elf(
  facts: Partial<Plain<Omit<Elf, 'imports'>>> & { readonly imports?: Iterable<string> } = {},
  attributes: Attributes = {},
): Thing {
  const { imports = [], ...rest } = facts;
  const body = bytesOf('\x7fELF');
  return {
    entry: { ...attributes, body },
    elf: {
      bits: 64,
      endian: 'little',
      machine: 62,
      interpreter: null,
      soname: null,
      needed: [],
      rpath: null,
      runpath: null,
      trouble: null,
      ...(rest as Partial<Elf>),
      imports: new Set(imports),
    },
  };
}

/** Returns an executable script with this behind `#!`. */
export function script(interpreter: string, rest = '\n'): Thing {
  const bytes = bytesOf(`#!${interpreter}${rest}`);
  return { entry: { body: bytes, mode: 0o755 }, script: b(interpreter), contents: bytes };
}

/** An image by path, with a thing or the contents of a file. A path that ends in a slash is a directory. */
export type Table = Readonly<Record<string, Thing | string>>;

/** Builds the merged filesystem and the facts of layers, lowest first. */
export async function imageOf(
  ...layers: readonly Table[]
): Promise<{ readonly fs: Filesystem; readonly facts: FileFacts }> {
  const indexes = new Map<number, LayerIndex>();
  const things = new Map<string, Thing>();
  for (const [i, table] of layers.entries()) {
    const entries: EntrySpec[] = [];
    for (const [name, short] of Object.entries(table)) {
      const thing = name.endsWith('/')
        ? typeof short === 'string'
          ? directory()
          : { entry: { ...short.entry, type: 'dir' as const } }
        : typeof short === 'string'
          ? text(short)
          : short;
      things.set(`${i + 1}:${entries.length}`, thing);
      entries.push({ name, ...thing.entry });
    }
    indexes.set(i + 1, await indexOf(...entries));
  }
  const fs = mergeStack(buildStack(indexes), indexes);
  const at = (path: string): Thing | null => {
    const carrier = fs.carrier(p(path));
    return carrier?.kind === 'file' ? (things.get(`${carrier.layer}:${carrier.entry}`) ?? null) : null;
  };
  return {
    fs,
    facts: {
      elf: (path) => at(path)?.elf ?? null,
      script: (path) => at(path)?.script ?? null,
      mentions: (path) => at(path)?.mentions ?? [],
      modules: (path) => modulesOf(path, at(path)?.contents),
      parts: (path) => at(path)?.parts ?? [],
      contents: (path) => at(path)?.contents ?? null,
    },
  };
}

/** Returns what a source names, as a scan finds it. */
function modulesOf(path: Path, contents: Uint8Array | undefined): SourceModules | null {
  if (contents === undefined) return null;
  const collector = new FactCollector(() => 0);
  const sink = collector.open(0, path, contents.length);
  sink?.write(contents);
  sink?.end();
  return collector.facts().modules.get(0) ?? null;
}

/** Returns a runtime with these parts, and no others. */
export function runtimeOf(
  parts: Partial<Omit<Runtime, 'environment'>> & {
    readonly environment?: Readonly<Record<string, string>>;
  } = {},
): Runtime {
  const { environment = {}, ...rest } = parts;
  return {
    entrypoint: [],
    command: [],
    user: '',
    workingDirectory: '',
    volumes: [],
    ports: [],
    healthcheck: [],
    shell: [],
    stopSignal: '',
    labels: new Map(),
    ...rest,
    environment: new Map(Object.entries(environment)),
  };
}

/** Names of uses, separated by spaces: "exec", "stat link". */
export type UsesText = string;

/** Returns a trace of these paths. */
export function traceOf(
  paths: Readonly<Record<string, UsesText>> = {},
  parts: Partial<Omit<Trace, 'paths'>> = {},
): Trace {
  return {
    name: 'app.trace',
    formats: ['strace'],
    platform: null,
    image: null,
    changes: [],
    ends: [],
    notInImage: null,
    gaps: [],
    isBlind: false,
    knowsExecs: true,
    syscalls: new Map(),
    hasAllSyscalls: false,
    rights: noRights,
    command: null,
    outside: 0,
    lines: 1,
    unreadable: { count: 0, samples: [] },
    ...parts,
    paths: new Map(
      Object.entries(paths).map(([path, names]) => [
        b(path),
        names.split(' ').reduce((bits, name) => bits | uses[name as keyof typeof uses], 0),
      ]),
    ),
  };
}

export interface Setting extends Partial<Omit<ClosureInput, 'fs' | 'facts' | 'runtime' | 'trace'>> {
  /** The image: one layer, or several, lowest first. */
  readonly image: Table | readonly Table[];
  readonly runtime?: Parameters<typeof runtimeOf>[0];
  readonly trace?: Readonly<Record<string, UsesText>> | Trace;
}

/** Builds the input of a closure. */
export async function inputOf({ image, runtime, trace = {}, ...rest }: Setting): Promise<ClosureInput> {
  const layers = (Array.isArray(image) ? image : [image]) as readonly Table[];
  return {
    platform: { os: 'linux', architecture: 'amd64' },
    granularity: 'file',
    keepCommands: [],
    ...rest,
    ...(await imageOf(...layers)),
    runtime: runtimeOf(runtime),
    trace: 'paths' in trace && trace.paths instanceof Map ? (trace as Trace) : traceOf(trace as never),
  };
}

/** Computes the closure of an image under these rules. */
export async function closureOf(setting: Setting, rules: readonly ClosureRule[]): Promise<Closure> {
  return closeOver(await inputOf(setting), rules);
}

/** Returns a rule `root` that needs these names, in their order. */
export function wanting(...paths: readonly string[]): ClosureRule {
  return {
    name: 'root',
    describe: 'What the test asks for.',
    *roots() {
      for (const path of paths) yield { path: b(path), detail: b('wanted') };
    },
  };
}

/** Returns the paths that stay, sorted. Directories are left out unless `directories` is set. */
export function keptFiles(closure: Closure, input: ClosureInput, { directories = false } = {}): string[] {
  return [...closure.paths()]
    .filter((path) => path !== '' && (directories || input.fs.kind(path) !== 'directory'))
    .sort();
}

/** Returns the paths that stay under these rules, as `keptFiles` does. */
export async function kept(
  setting: Setting,
  rules: readonly ClosureRule[],
  options: { readonly directories?: boolean } = {},
): Promise<string[]> {
  const input = await inputOf(setting);
  return keptFiles(closeOver(input, rules), input, options);
}

/** Returns the lines that explain why a path stays. */
export async function reasons(
  setting: Setting,
  rules: readonly ClosureRule[],
  path: string,
): Promise<readonly string[]> {
  return explain(await closureOf(setting, rules), p(path));
}

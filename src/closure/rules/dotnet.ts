/**
 * The rule for programs of .NET: the files that their host reads beside them. `families.ts` lists it.
 */
import { baseOf, join, type Path, parentOf, rootPath } from '../../bytes/path.ts';
import { utf8Bytes, ascii, asciiList } from '../../bytes/bytes.ts';
import type { ClosureContext, ClosureRule, Need } from '../rule.ts';
import { present, presentIn } from './present.ts';
import { objectAt, objectOf, variable } from './configuration.ts';
import { MiB } from '../../units.ts';

/** The list of the assemblies of a program, and its settings (.NET SDK, "runtime configuration files"). */
const manifest = /\.deps\.json$/;
const configuration = /\.runtimeconfig\.json$/;
/** What the host looks for beside a program, by its name without `.dll` or `.exe`. */
const endings = asciiList('.deps.json', '.runtimeconfig.json', '.dll');

/** The host of .NET refuses to start a program whose list of assemblies names a missing file. */
export const dotnetRule: ClosureRule = {
  name: 'dotnet',
  describe:
    'For an assembly, its .deps.json and .runtimeconfig.json; the assemblies and libraries in a .deps.json; the frameworks in a .runtimeconfig.json; the framework of a core runtime; host/fxr for the program dotnet.',
  reads: (path) => (manifest.test(path) || configuration.test(path) ? 4 * MiB : 0),
  *follow(path, context): Generator<Need> {
    const { facts, fs } = context;
    const directory = parentOf(path);
    if (manifest.test(path)) yield* listed(path, context);
    else if (configuration.test(path)) yield* frameworks(path, context);
    else if (baseOf(path) === 'dotnet' && fs.kind(join(directory, ascii`host/fxr`)) !== null)
      yield { path: join(directory, ascii`host/fxr`), detail: ascii`/${path} loads it`, below: true };
    else if (/^lib(?:coreclr|hostpolicy)\.so$/.test(baseOf(path))) {
      for (const child of fs.children(directory))
        if (manifest.test(child) || configuration.test(child))
          yield { path: child, detail: ascii`the framework of /${path}` };
    } else if (path.endsWith('.dll') || facts.elf(path) !== null) yield* besideProgram(path, context);
  },
};

/** Yields the files beside a program, which is an assembly, or an ELF file beside an assembly of its name (an "apphost"). */
function* besideProgram(path: Path, { fs }: ClosureContext): Generator<Need> {
  const stem = path.replace(/\.(?:dll|exe)$/, '');
  const isAssembly = path.endsWith('.dll');
  const files = endings.map((ending) => rootPath`${stem}${ending}`);
  for (const beside of present(fs, files))
    if (beside !== path && !(isAssembly && beside.endsWith('.dll')))
      yield { path: beside, detail: ascii`read when /${path} is started` };
}

/**
 * Yields the files that a .deps.json lists: targets → framework → library → runtime, native, resources or runtimeTargets → the path
 * of an asset. An asset of a locale may be in a directory of its name.
 */
function* listed(path: Path, context: ClosureContext): Generator<Need> {
  const { fs } = context;
  const directory = parentOf(path);
  const detail = ascii`listed in /${path}: without it .NET does not start`;
  for (const target of valuesOf(objectAt(path, context)?.['targets']))
    for (const parts of valuesOf(target))
      for (const kind of ['runtime', 'native', 'resources', 'runtimeTargets']) {
        const assets = objectOf(objectOf(parts)?.[kind]) ?? {};
        for (const [asset, more] of Object.entries(assets)) {
          const locale = objectOf(more)?.['locale'];
          const name = utf8Bytes(asset);
          const inLocale =
            typeof locale === 'string' ? ascii`${utf8Bytes(locale)}/${baseOf(name)}` : baseOf(name);
          for (const file of new Set([name, inLocale])) {
            if (file.split('/').includes(ascii`..`) || file.startsWith('/')) continue;
            for (const found of presentIn(fs, directory, [file])) yield { path: found, detail };
          }
        }
      }
}

/** Yields the lists of the frameworks that a .runtimeconfig.json names, in the directories of shared frameworks. */
function* frameworks(path: Path, context: ClosureContext): Generator<Need> {
  const { fs } = context;
  const options = objectOf(objectAt(path, context)?.['runtimeOptions']);
  const several = options?.['frameworks'];
  for (const entry of [options?.['framework'], ...(Array.isArray(several) ? several : [])]) {
    const named = objectOf(entry)?.['name'];
    if (typeof named !== 'string' || named.includes('/')) continue;
    const name = utf8Bytes(named);
    const roots = [
      variable('DOTNET_ROOT', context),
      ...asciiList('usr/share/dotnet', 'usr/lib/dotnet', 'usr/lib64/dotnet'),
    ];
    for (const root of roots) {
      const shared = root === '' ? null : fs.resolve(ascii`${root}/shared/${name}`).path;
      if (shared === null) continue;
      for (const version of fs.children(shared))
        for (const list of presentIn(fs, version, [ascii`${name}.deps.json`]))
          yield { path: list, detail: ascii`the framework that /${path} names` };
    }
  }
}

function valuesOf(value: unknown): readonly unknown[] {
  return Object.values(objectOf(value) ?? {});
}

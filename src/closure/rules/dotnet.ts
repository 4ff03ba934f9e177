import { baseOf, join, type Path, parentOf, rootPath } from '../../bytes/path.ts';
import { utf8Bytes, ascii, asciiList } from '../../bytes/bytes.ts';
import type { ClosureContext, ClosureRule, Need } from '../rule.ts';
import { objectAt, objectOf, variable } from './configuration.ts';
import { MiB } from '../../units.ts';

const manifest = /\.deps\.json$/;
const endings = asciiList('.deps.json', '.runtimeconfig.json', '.dll');
const configuration = /\.runtimeconfig\.json$/;

/** .NET's host refuses to start a program whose list of assemblies names a file that is missing. */
export const dotnetRule: ClosureRule = {
  name: 'dotnet',
  describe:
    'Beside an assembly, its .deps.json and .runtimeconfig.json; the assemblies and libraries that a .deps.json lists; the frameworks that a .runtimeconfig.json names; with a core runtime its framework, with the dotnet program host/fxr.',
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
    } else if (path.endsWith('.dll') || facts.elf(path) !== null) {
      const stem = path.replace(/\.(?:dll|exe)$/, '');
      for (const beside of endings.map((ending) => rootPath`${stem}${ending}`))
        if (
          beside !== path &&
          fs.kind(beside) !== null &&
          !(path.endsWith('.dll') && beside.endsWith('.dll'))
        )
          yield { path: beside, detail: ascii`read when /${path} is started` };
    }
  },
};

/** targets → framework → library → runtime, native, resources, runtimeTargets → the path of an asset. */
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
            if (fs.kind(join(directory, file)) !== null) yield { path: join(directory, file), detail };
          }
        }
      }
}

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
      for (const version of fs.children(shared)) {
        const list = join(version, ascii`${name}.deps.json`);
        if (fs.kind(list) !== null) yield { path: list, detail: ascii`the framework that /${path} names` };
      }
    }
  }
}

function valuesOf(value: unknown): readonly unknown[] {
  return Object.values(objectOf(value) ?? {});
}

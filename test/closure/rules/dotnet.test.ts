import { describe, expect, it } from 'vitest';
import { dotnetRule } from '../../../src/closure/rules/dotnet.ts';
import { elf } from '../rig.ts';
import { stays } from './stays.ts';

const framework = 'usr/share/dotnet/shared/Microsoft.NETCore.App/8.0.1';
const deps = (assets: object): string =>
  JSON.stringify({ targets: { '.NETCoreApp,Version=v8.0': { 'lib/1.0': assets } } });
const image = {
  'usr/share/dotnet/dotnet': elf(),
  'usr/share/dotnet/host/fxr/8.0.1/libhostfxr.so': elf(),
  'usr/share/dotnet/sdk/8.0.1/csc.dll': 'x',
  [`${framework}/Microsoft.NETCore.App.deps.json`]: deps({
    runtime: { 'System.Private.CoreLib.dll': {} },
    native: { 'libcoreclr.so': {} },
  }),
  [`${framework}/Microsoft.NETCore.App.runtimeconfig.json`]: '{}',
  [`${framework}/libcoreclr.so`]: elf(),
  [`${framework}/System.Private.CoreLib.dll`]: 'x',
  [`${framework}/unlisted.txt`]: 'x',
  'app/web.dll': 'x',
  'app/web.deps.json': `\xef\xbb\xbf${deps({
    runtime: { 'lib/net8.0/Newtonsoft.Json.dll': {} },
    resources: { 'lib/net8.0/de/Text.resources.dll': { locale: 'de' } },
    runtimeTargets: { 'runtimes/linux-x64/native/libe_sqlite3.so': {}, '../../etc/shadow': {} },
  })}`,
  'app/web.runtimeconfig.json': '{"runtimeOptions":{"framework":{"name":"Microsoft.NETCore.App"}}}',
  'app/Newtonsoft.Json.dll': 'x',
  'app/de/Text.resources.dll': 'x',
  'app/runtimes/linux-x64/native/libe_sqlite3.so': elf(),
  'app/runtimes/osx/native/libe_sqlite3.dylib': 'x',
  'app/web.pdb': 'x',
  'etc/shadow': 'x',
};

describe('dotnet', () => {
  it('keeps the files that a program lists, and the framework that it names', async () => {
    expect(await stays(dotnetRule, image, { want: ['app/web.dll', 'usr/share/dotnet/dotnet'] })).toEqual(
      Object.keys(image)
        .filter((path) => !/unlisted|dylib|\.pdb|shadow|sdk/.test(path))
        .sort(),
    );
  });

  it('keeps the framework of a core runtime', async () => {
    expect(await stays(dotnetRule, image, { want: [`${framework}/libcoreclr.so`] })).toEqual(
      Object.keys(image)
        .filter((path) => path.startsWith(framework) && !/unlisted/.test(path))
        .sort(),
    );
  });

  it('keeps none of them for other files, and survives a damaged list', async () => {
    const broken = { 'app/a.dll': 'x', 'app/a.deps.json': '{"targets": [1, {', 'app/b.dll': 'x' };
    expect(await stays(dotnetRule, image, { want: ['app/web.pdb'] })).toEqual(['app/web.pdb']);
    expect(await stays(dotnetRule, broken, { want: ['app/a.dll'] })).toEqual([
      'app/a.deps.json',
      'app/a.dll',
    ]);
  });
});

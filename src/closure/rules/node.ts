import { ascii, noBytes } from '../../bytes/bytes.ts';
import { baseOf, join, type Path, parentOf } from '../../bytes/path.ts';
import type { ClosureContext, ClosureRule, Need } from '../rule.ts';
import { variable } from './configuration.ts';
import { presentIn } from './present.ts';

/** The files that Node loads as modules. */
const module = /\.(?:js|mjs|cjs|ts|mts|cts|node|json|wasm)$/;

/** Programs that load most of their parts by computed names. */
const managers = /(?:^|\/)bin\/(?:npm-cli|npx-cli|yarn|pnpm|pnpx|corepack)\.c?js$/;

/**
 * Node looks for a package.json in every directory above a module: it says how to read the module ("type"), and how to find its
 * package ("main", "exports"). A trace may not show each of them, since Node caches them.
 */
export const nodeRule: ClosureRule = {
  name: 'node',
  describe:
    'The package.json in every directory above a JavaScript module, JSON file or addon; all of npm, npx, yarn, pnpm or corepack, if it was used; the modules that NODE_OPTIONS preloads.',
  *roots(context): Generator<Need> {
    const options = variable('NODE_OPTIONS', context);
    for (const [, path = noBytes] of options.matchAll(
      /(?:^|\s)(?:-r|--require|--import|--loader)[\s=]+"?(\/[^\s"]+)/g,
    ))
      yield { path, detail: ascii`preloaded by NODE_OPTIONS` };
  },
  *follow(path, context): Generator<Need> {
    if (!module.test(path)) return;
    const { fs } = context;
    for (let at = parentOf(path); ; at = parentOf(at)) {
      for (const manifest of presentIn(fs, at, [ascii`package.json`]))
        if (manifest !== path) yield { path: manifest, detail: ascii`says how to read /${path}` };
      if (at === '') break;
    }
    if (managers.test(path) && context.strengthOf(path) === 'needed') yield* wholeTool(path, fs);
  },
};

/** Yields the package of a program: the nearest directory above it with a package.json. */
function* wholeTool(path: Path, fs: ClosureContext['fs']): Generator<Need> {
  for (let at = parentOf(path); at !== ''; at = parentOf(at)) {
    if (fs.kind(join(at, ascii`package.json`)) === null) continue;
    yield { path: at, detail: ascii`loads its parts by name: /${path} is used (${baseOf(at)})`, below: true };
    return;
  }
}

import { ascii, noBytes } from '../../bytes/bytes.ts';
import { baseOf, join, type Path, parentOf } from '../../bytes/path.ts';
import type { ClosureContext, ClosureRule, Need } from '../rule.ts';
import { variable } from './configuration.ts';

const module = /\.(?:js|mjs|cjs|ts|mts|cts|node|json|wasm)$/;

/** Programs that load most of themselves by names made at run time. */
const managers = /(?:^|\/)bin\/(?:npm-cli|npx-cli|yarn|pnpm|pnpx|corepack)\.c?js$/;

/**
 * Node looks for a package.json in every directory above a module: it says how the module is to be read ("type"), and how
 * its package is found at all ("main", "exports"). Those of which the trace saw nothing were cached, or read in one go.
 */
export const nodeRule: ClosureRule = {
  name: 'node',
  describe:
    'package.json in every directory above a JavaScript module, JSON file or addon that stays; with npm, npx, yarn, pnpm or corepack that was used, the whole of it; modules that NODE_OPTIONS loads first.',
  *roots(context): Generator<Need> {
    const options = variable('NODE_OPTIONS', context);
    for (const [, path = noBytes] of options.matchAll(
      /(?:^|\s)(?:-r|--require|--import|--loader)[\s=]+"?(\/[^\s"]+)/g,
    ))
      yield { path, detail: ascii`loaded first, by NODE_OPTIONS` };
  },
  *follow(path, context): Generator<Need> {
    if (!module.test(path)) return;
    const { fs } = context;
    for (let at = parentOf(path); ; at = parentOf(at)) {
      const manifest = join(at, ascii`package.json`);
      if (manifest !== path && fs.kind(manifest) !== null)
        yield { path: manifest, detail: ascii`says how /${path} is to be read` };
      if (at === '') break;
    }
    if (managers.test(path) && context.strengthOf(path) === 'needed') yield* wholeTool(path, fs);
  },
};

function* wholeTool(path: Path, fs: ClosureContext['fs']): Generator<Need> {
  for (let at = parentOf(path); at !== ''; at = parentOf(at)) {
    if (fs.kind(join(at, ascii`package.json`)) === null) continue;
    yield { path: at, detail: ascii`loads its parts by name: /${path} is used (${baseOf(at)})`, below: true };
    return;
  }
}

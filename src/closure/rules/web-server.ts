/**
 * The rules for modules of web servers: nginx (and OpenResty), and Apache. `families.ts` lists them.
 */
import { ascii } from '../../bytes/bytes.ts';
import { join, type Path, parentOf, rootPath } from '../../bytes/path.ts';
import type { ClosureRule, Need } from '../rule.ts';
import { linesOf } from './configuration.ts';
import { KiB } from '../../units.ts';

/** The settings of one web server, and how they load modules. */
interface Server {
  /** The paths of its settings. */
  readonly settings: RegExp;
  /** The directive that loads a module. The group is its file. */
  readonly directive: RegExp;
  /** The directories from which relative names count, by distribution. */
  readonly roots: readonly Path[];
}

const nginx: Server = {
  settings:
    /^(?:etc|usr\/local)\/(?:nginx|openresty)\/.*\.conf$|^usr\/share\/nginx\/modules-available\/.*\.conf$/,
  directive: /^load_module\s+["']?([^"';]+?)["']?\s*;/,
  roots: [
    rootPath`etc/nginx`,
    rootPath`usr/share/nginx`,
    rootPath`usr/lib/nginx`,
    rootPath`usr/lib64/nginx`,
    rootPath`usr/local/nginx`,
    rootPath`var/lib/nginx`,
  ],
};

const apache: Server = {
  settings: /^(?:etc\/(?:apache2|httpd)|usr\/local\/apache2\/conf)\/.*\.(?:conf|load)$/,
  directive: /^LoadModule\s+\S+\s+["']?([^"'\s]+)/i,
  roots: [rootPath`etc/apache2`, rootPath`usr/lib/apache2`, rootPath`etc/httpd`, rootPath`usr/local/apache2`],
};

/** A web server reads its settings at every start, and does not start without the modules that they load. */
export const nginxRule = rule('nginx', 'load_module', nginx);
export const apacheRule = rule('apache', 'LoadModule', apache);

/** Makes the rule for one server. A relative module counts from each root that has it, since builds differ. */
function rule(name: string, directive: string, server: Server): ClosureRule {
  return {
    name,
    describe: `The modules that the settings of ${name} load with ${directive}.`,
    reads: (path) => (server.settings.test(path) ? 256 * KiB : 0),
    *follow(path, context): Generator<Need> {
      if (!server.settings.test(path)) return;
      for (const line of linesOf(path, context)) {
        const [, file] = line.match(server.directive) ?? [];
        if (file === undefined) continue;
        const detail = ascii`a module that /${path} loads`;
        if (file.startsWith('/')) yield { path: file, detail };
        else
          for (const root of new Set([...server.roots, parentOf(path)])) {
            const module = join(root, file);
            if (context.fs.resolve(module).path !== null) yield { path: module, detail };
          }
      }
    },
  };
}

/**
 * The table of languages: under which file names each looks for a module, and where. `search.ts` reads it; what sources name is in
 * `rootfs/facts/named-modules.ts`.
 */
import { ascii, asByteString, asciiList, type ByteString, joinBytes, noBytes } from '../../bytes/bytes.ts';
import { baseOf } from '../../bytes/path.ts';
import type { SourceLanguage } from '../../rootfs/facts/named-modules.ts';

export interface Language {
  /** A directory of installed modules at the start of a path, with its slash. Null where there are none. */
  readonly installed: RegExp | null;
  /** Where modules are below the directories above a source; empty for the directory itself. */
  readonly beside: readonly ByteString[];
  /** The variable that names further directories. */
  readonly variable?: string;
  /** Returns the file names of a module, in groups. Of the first group that has files, all are the module. */
  readonly files: (name: ByteString) => readonly (readonly ByteString[])[];
  /** Returns one of these file names for a file in a directory of installed modules. Default: its path there. */
  readonly fileName?: (inside: ByteString) => ByteString;
}

/** What stands before the names of distributions and gems. No module begins with it. */
const mark = ':';

/** Returns the name of a gem as manifests declare it. */
export function gem(name: ByteString): ByteString {
  return ascii`:${name}`;
}

/** Returns the name of a distribution of Python as manifests declare it; PEP 503 says which names are equal. */
export function distribution(name: ByteString): ByteString {
  return asByteString(`${mark}${name.replaceAll(/[-_.]+/g, ascii`-`).toLowerCase()}`);
}

/** Returns a name as people write it. */
export function shown(name: ByteString): ByteString {
  return name.startsWith(mark) ? name.slice(mark.length) : name;
}

const here: readonly ByteString[] = [noBytes];

/** The most parts of a dotted name that are looked for. */
const deepest = 16;

/** What Node tries behind the name of a file or directory. */
const nodeEndings = asciiList(
  '',
  '.js',
  '.mjs',
  '.cjs',
  '.json',
  '.node',
  '.ts',
  '.tsx',
  '.mts',
  '.cts',
  '.jsx',
  '/package.json',
  '/index.js',
  '/index.mjs',
  '/index.cjs',
  '/index.json',
  '/index.node',
  '/index.ts',
  '/index.tsx',
);

export const languages: Readonly<Record<SourceLanguage, Language>> = {
  python: {
    installed: /^(?:.*\/)?(?:(?:site|dist)-packages|(?:python|pypy)\d[\d.]*t?(?:\/lib-dynload)?)\//,
    beside: here,
    variable: 'PYTHONPATH',
    files: pythonFiles,
    fileName: (inside) => {
      const [, stem] =
        inside.match(/^([^/]+)\.(?:dist|egg)-info(?:\/(?:METADATA|PKG-INFO|requires\.txt))?$/) ?? [];
      if (stem !== undefined) return distribution(stem.slice(0, stem.search(/-|$/)));
      // "_json.cpython-311-x86_64-linux-gnu.so"
      const dot = inside.endsWith('.so') ? inside.indexOf('.', inside.lastIndexOf('/')) : -1;
      return dot < 0 ? inside : ascii`${inside.slice(0, dot)}.so`;
    },
  },
  node: {
    // Debian's Node looks here, too.
    installed: /^usr\/(?:share|lib)\/nodejs\//,
    beside: asciiList('node_modules'),
    variable: 'NODE_PATH',
    files: (name) => {
      const [, root = noBytes] = name.match(/^((?:@[^/]+\/)?[^/]+)\/./) ?? [];
      const itself = nodeEndings.map((ending) => ascii`${name}${ending}`);
      return root === '' ? [itself] : [itself, [ascii`${root}/package.json`]];
    },
  },
  ruby: {
    installed:
      /^(?:.*\/)?(?:ruby(?:\/(?:vendor|site)_ruby)?(?:\/\d+\.\d+\.\d+)?(?:\/\w+-linux[\w-]*)?|gems\/[^/]+\/lib|specifications(?:\/default)?)\//,
    beside: asciiList('', 'lib'),
    variable: 'RUBYLIB',
    files: (name) => {
      if (!name.startsWith(mark)) return [[name, ascii`${name}.rb`, ascii`${name}.so`]];
      const feature = shown(name);
      return [[name, ascii`${feature}.rb`, ascii`${feature.replaceAll('-', ascii`/`)}.rb`]];
    },
    fileName: (inside) => {
      const [, name] = (inside.endsWith('.gemspec') ? inside.match(/^(.+?)-\d[^-]*(?:-|$)/) : null) ?? [];
      return name === undefined ? inside : gem(name);
    },
  },
  perl: {
    installed:
      /^(?:.*\/)?(?:etc\/perl|perl-base|(?:site_)?perl5?(?:\/(?:site|vendor|core)_perl)?(?:\/\d[\d.]*)?(?:\/\w+-linux[\w-]*)?)\//,
    beside: asciiList('', 'lib'),
    variable: 'PERL5LIB',
    files: (name) => [/[./]/.test(name) ? [name] : [ascii`${name.replaceAll('::', ascii`/`)}.pm`]],
  },
  php: {
    installed: /^usr\/(?:local\/)?(?:share\/php\d*|lib\/php)\//,
    beside: asciiList('', 'vendor'),
    files: (name) => [[name, ascii`${name}/composer.json`]],
  },
  r: {
    installed: /^(?:.*\/)?R\/(?:site-)?library\//,
    beside: [],
    variable: 'R_LIBS',
    files: (name) => [[ascii`${name}/DESCRIPTION`]],
  },
  lua: {
    installed: /^(?:.*\/)?(?:lua\/5\.\d|lualib)\//,
    beside: here,
    files: (name) => {
      const stem = name.replaceAll('.', ascii`/`);
      return [[ascii`${stem}.lua`, ascii`${stem}/init.lua`, ascii`${stem}.so`]];
    },
  },
  beam: {
    installed: /^(?:.*\/)?ebin\//,
    beside: [],
    files: (name) => [
      /^[A-Z]/.test(name) ? [ascii`Elixir.${name}.beam`] : [ascii`${name}.app`, ascii`${name}.beam`],
    ],
    fileName: baseOf,
  },
  java: { installed: null, beside: [], files: (name) => [[name]] },
};

/** Returns the file names of `a.b.c`: loading it loads the packages above it, and `c` may be no module of these. */
function pythonFiles(name: ByteString): readonly (readonly ByteString[])[] {
  // Most distributions have the name of their package.
  const isDistribution = name.startsWith(mark);
  const parts = isDistribution ? [shown(name).replaceAll('-', ascii`_`)] : name.split('.', deepest);
  const stems = parts.map((_, i) => joinBytes(parts.slice(0, parts.length - i), '/'));
  const files = stems.flatMap((stem) => [
    ascii`${stem}/__init__.py`,
    ascii`${stem}/__init__.pyc`,
    ascii`${stem}.py`,
    ascii`${stem}.pyc`,
    ascii`${stem}.so`,
  ]);
  return [isDistribution ? [name, ...files] : files];
}

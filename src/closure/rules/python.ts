/**
 * The rule for Python: sources, packages, metadata, and what the interpreter needs to start. `families.ts` lists it; the metadata of
 * distributions are in `python-distributions.ts`.
 */
import { ascii, asciiList, type ByteString, noBytes } from '../../bytes/bytes.ts';
import { baseOf, join, type Path, parentOf, cleanPath, rootPath } from '../../bytes/path.ts';
import type { ClosureContext, ClosureRule, Need } from '../rule.ts';
import { present, presentIn } from './present.ts';
import { linesOf } from './configuration.ts';
import { isDistribution, metadataOf, readsDistribution } from './python-distributions.ts';
import { KiB } from '../../units.ts';

/** A compiled module (PEP 3147). The groups are the directory of its source, and its name. */
const cached = /^(.*)\/__pycache__\/([^/]+?)\.[a-z]+-?\d+[^./]*(?:\.opt-[^./]+)?\.pyc$/;
/** The program or library of an interpreter. The groups are its prefix, and the version of the library. */
const interpreter =
  /^(.*?)\/?(?:s?bin\/(?:python|pypy)[\d.]*[a-z]*|lib(?:64)?(?:\/[^/]+-linux-[^/]+)?\/libpython(\d\.\d+)[^/]*\.so[\d.]*)$/;
/** The directory of the standard library. */
const library = /^(.*\/)?(?:python|pypy)\d+(?:\.\d+)?t?$/;
const initializers = asciiList('__init__.py', '__init__.pyc');
const sitePackages = /(?:^|\/)(?:site|dist)-packages$/;

/** The modules that the interpreter loads before it can report what is missing. */
const core = asciiList(
  'os.py',
  'site.py',
  'codecs.py',
  'encodings/__init__.py',
  'encodings/aliases.py',
  'encodings/utf_8.py',
  'encodings/latin_1.py',
  'encodings/ascii.py',
);

/** Modules of the standard library that another one loads by a name it computes. */
const lazy: { readonly [module: string]: readonly ByteString[] } = {
  'socket.py': asciiList('encodings/idna.py', 'stringprep.py', 'lib-dynload/unicodedata'),
  'zipfile.py': asciiList('encodings/cp437.py'),
  'zipfile/__init__.py': asciiList('encodings/cp437.py'),
  'sysconfig.py': asciiList('_sysconfigdata'),
  'sysconfig/__init__.py': asciiList('_sysconfigdata'),
};

/** Python finds modules by looking: it needs the source behind a compiled file, and every package above a module. */
export const pythonRule: ClosureRule = {
  name: 'python',
  describe:
    'For a compiled module, its source, even if only the traced container had compiled it; the __init__.py of every package above a module; the metadata (dist-info, egg-info) of a distribution of which a file stays; the .pth files of a directory of packages, and the modules they import; pyvenv.cfg and the Python it names; the modules that the interpreter needs to start, and its other names; modules that others load by a computed name (encodings, _sysconfigdata).',
  reads: (path) => {
    if (path.endsWith('.pth') || baseOf(path) === 'pyvenv.cfg') return 64 * KiB;
    return readsDistribution(path);
  },
  // A container that ran before the trace has compiled modules that its image does not have, and does not open their sources.
  *roots({ fs, trace }): Generator<Need> {
    for (const path of trace.paths.keys()) {
      const [, home, module] = path.endsWith('.pyc') ? (path.match(cached) ?? []) : [];
      if (home === undefined || module === undefined || fs.resolve(path).path !== null) continue;
      yield {
        path: ascii`${home}/${module}.py`,
        detail: ascii`the source of /${path}, which the container had made and used`,
      };
    }
  },
  *follow(path, context): Generator<Need> {
    const { fs } = context;
    const base = baseOf(path);
    const directory = parentOf(path);
    const [, home, module] = path.match(cached) ?? [];
    if (home !== undefined && module !== undefined)
      yield {
        path: ascii`${home}/${module}.py`,
        detail: ascii`the source of /${path}, which Python looks at first`,
      };
    if (/\.(?:py|pyc|pyd|so)$/.test(base)) {
      yield* packagesAbove(home === undefined ? directory : cleanPath(home), path, context);
      yield* lazyModules(home === undefined ? path : rootPath`${home}/${module ?? noBytes}.py`, context);
    }
    if (/(?:^|\/)(?:site|dist)-packages\//.test(path) || /\.(?:py|pyc|pyd)$/.test(base))
      if (!isDistribution(path)) yield* metadataOf(path, context);
    if (sitePackages.test(path) && fs.kind(path) === 'directory') yield* startup(path, context);
    if (base.endsWith('.pth')) yield* imports(path, context);
    if (base === 'pyvenv.cfg') yield* virtual(path, context);
    yield* interpreterNeeds(path, context);
  },
};

/** Yields the initializers of the packages above a module, up to the directory of packages or the standard library. */
function* packagesAbove(from: Path, path: Path, { fs }: ClosureContext): Generator<Need> {
  for (let at = from; at !== '' && !sitePackages.test(at) && !library.test(at); at = parentOf(at))
    for (const init of presentIn(fs, at, initializers))
      if (init !== path) yield { path: init, detail: ascii`the package that holds /${path}` };
}

/** Yields the modules that a module of the standard library loads by a computed name. */
function* lazyModules(source: Path, { fs }: ClosureContext): Generator<Need> {
  const [, home, module] = source.match(/^(.*\/python3\.\d+t?)\/([^/]+(?:\/__init__)?\.py)$/) ?? [];
  if (home === undefined || module === undefined) return;
  for (const name of lazy[module] ?? []) {
    const path = rootPath`${home}/${name}`;
    const detail = ascii`found by name by /${source}`;
    if (name.endsWith('.py')) yield { path, detail };
    else
      for (const child of fs.children(parentOf(path)))
        if (baseOf(child).startsWith(baseOf(name)) && /\.(?:py|so)$/.test(child))
          yield { path: child, detail };
  }
}

/** Yields the files of a directory of packages that site.py runs at every start (docs.python.org, library/site). */
function* startup(path: Path, { fs }: ClosureContext): Generator<Need> {
  for (const child of fs.children(path))
    if (/\.(?:pth|egg-link)$|\/(?:site|user)customize\.py$/.test(child))
      yield { path: child, detail: ascii`read at every start of Python, in /${path}` };
}

/** Reads a .pth file: site.py runs lines that begin with "import", and takes others as names of directories. */
function* imports(path: Path, context: ClosureContext): Generator<Need> {
  const { fs } = context;
  for (const line of linesOf(path, context, /^#/)) {
    if (!/^import[ \t]/.test(line)) {
      if (fs.kind(join(parentOf(path), line)) === 'directory')
        yield { path: join(parentOf(path), line), detail: ascii`named by /${path}` };
      continue;
    }
    const [, list = noBytes] = line.match(/^import[ \t]+([\w., \t]+)/) ?? [];
    const named = [...line.matchAll(/__import__\(['"]([\w.]+)['"]/g)].map(([, name = noBytes]) => name);
    for (const name of [...list.split(',').map((item) => item.trim().replace(/\s.*/, '')), ...named]) {
      const stem = join(parentOf(path), name.replaceAll('.', ascii`/`));
      for (const module of present(fs, [rootPath`${stem}.py`, rootPath`${stem}/__init__.py`]))
        yield { path: module, detail: ascii`imported by /${path} at every start` };
    }
  }
}

/** Reads pyvenv.cfg (PEP 405): `home` is the directory of the Python that the environment was made with. */
function* virtual(path: Path, context: ClosureContext): Generator<Need> {
  const { fs } = context;
  for (const line of linesOf(path, context, /^#/)) {
    const [, key, value] = line.match(/^(\S+)\s*=\s*(\/.*)$/) ?? [];
    if (key === undefined || value === undefined) continue;
    if (key === 'executable') yield { path: value, detail: ascii`named by /${path}` };
    if (key !== 'home') continue;
    yield { path: value, detail: ascii`home of /${path}` };
    for (const name of asciiList('python3', 'python'))
      if (fs.resolve(ascii`${value}/${name}`).path !== null)
        yield { path: ascii`${value}/${name}`, detail: ascii`the Python behind /${path}` };
  }
}

/** Yields what an interpreter needs to start, and its other names. */
function* interpreterNeeds(path: Path, context: ClosureContext): Generator<Need> {
  const { fs } = context;
  const [, before, version] = path.match(interpreter) ?? [];
  if (before === undefined) return;
  const prefix = cleanPath(before);
  const detail = ascii`/${path} starts with it`;
  const own = join(prefix, ascii`pyvenv.cfg`);
  if (fs.kind(own) !== null) {
    yield { path: own, detail };
    // venv makes this link on systems with a directory lib64.
    const link = join(prefix, ascii`lib64`);
    if (fs.kind(link) === 'symlink') yield { path: link, detail };
  }
  const number = version ?? path.match(/(\d\.\d+)t?$/)?.[1];
  if (number === undefined) return;
  const home = join(prefix, ascii`lib/python${number}`);
  for (const module of presentIn(fs, home, core)) yield { path: module, detail };
  // The interpreter finds its prefix by os.py, and its exec_prefix by this directory, even if nothing in it is used.
  for (const landmark of presentIn(fs, home, [ascii`lib-dynload`]))
    yield { path: landmark, detail: ascii`/${path} finds its modules by it` };
  for (const name of asciiList('python3', 'python'))
    for (const bin of asciiList('bin', 'usr/bin')) {
      const link = join(prefix, ascii`${bin}/${name}`);
      if (fs.kind(link) === 'symlink' && fs.resolve(link).path === path)
        yield { path: link, detail: ascii`another name of /${path}` };
    }
}

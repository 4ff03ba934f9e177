/**
 * The rule for Java: the parts of a Java runtime, and the archives of classes that a class path names. `families.ts` lists it.
 */
import { ascii, type ByteString, asciiList, utf8Bytes, noBytes } from '../../bytes/bytes.ts';
import { baseOf, join, type Path, parentOf, root, cleanPath, rootPath } from '../../bytes/path.ts';
import { uses } from '../../trace/trace.ts';
import type { ClosureContext, ClosureRule, Need } from '../rule.ts';
import { presentIn } from './present.ts';
import { variable } from './configuration.ts';

/** The library of a virtual machine, and the launcher `java`. The group is the home of the Java runtime. */
const machine = /^(.*?)\/(?:lib|jre\/lib)(?:\/[^/]+)?\/(?:server|client|minimal|zero)\/libjvm\.so$/;
const launcher = /^(.*?)(?:\/jre)?\/bin\/java$/;
const archive = /\.(?:jar|war|ear)$/;

/** Libraries for displays. They need the X Window System, and no server opens them. */
const forScreens = /^lib(?:awt_xawt|splashscreen|jawt)\.so$/;

/** The files in the directory `lib` of a Java runtime that it reads by name at run time, without libraries. */
const files = asciiList(
  'modules',
  'jvm.cfg',
  'tzdb.dat',
  'tzmappings',
  'jspawnhelper',
  'fontconfig.bfc',
  'fontconfig.properties',
  'psfontj2d.properties',
  'psfont.properties.ja',
  'currency.data',
  'content-types.properties',
  'logging.properties',
  'net.properties',
  'calendars.properties',
  'hijrah-config-umalqura.properties',
  'flavormap.properties',
  'rt.jar',
  'jsse.jar',
  'jce.jar',
  'charsets.jar',
  'resources.jar',
  'management-agent.jar',
  'meta-index',
);

/** Directories there that it reads whole. */
const directories = asciiList('security', 'jfr', 'management', 'ext');

/** The parts of a Java runtime open each other by name. Archives of classes stay whole. */
export const javaRule: ClosureRule = {
  name: 'java',
  describe:
    'For a Java virtual machine or its launcher: modules or rt.jar, the native libraries except those for displays, conf, security with the certificates, and release. All archives in a directory that was listed, or that a class path names with "*"; the paths in -cp, -jar, CLASSPATH and -javaagent.',
  *roots(context): Generator<Need> {
    for (const { path, why } of classPaths(context)) {
      if (!path.endsWith('/*')) {
        yield { path, detail: why };
        continue;
      }
      const directory = context.fs.resolve(path.slice(0, -2), { from: workingDirectory(context) }).path;
      if (directory !== null) yield* archives(directory, why, context);
    }
  },
  *follow(path, context): Generator<Need> {
    const home = path.match(machine)?.[1] ?? path.match(launcher)?.[1];
    if (home !== undefined) {
      yield* runtimeIn(cleanPath(home), path, context);
      yield* runtimeIn(rootPath`${home}/jre`, path, context);
      return;
    }
    if ((context.usesOf(path) & (uses.list | uses.open)) === 0 || context.fs.kind(path) !== 'directory')
      return;
    yield* archives(path, ascii`an archive in /${path}, which was listed`, context);
  },
};

/** Yields the parts of the Java runtime in a directory, if there is one. */
function* runtimeIn(home: Path, path: Path, { fs }: ClosureContext): Generator<Need> {
  const lib = join(home, ascii`lib`);
  // Since Java 9, the classes are in `modules`; before, in rt.jar.
  if (presentIn(fs, lib, asciiList('modules', 'rt.jar')).next().done === true) return;
  const detail = ascii`a part of the Java runtime of /${path}`;
  for (const file of presentIn(fs, lib, files)) yield { path: file, detail };
  for (const directory of presentIn(fs, lib, directories)) yield { path: directory, detail, below: true };
  for (const part of presentIn(fs, home, asciiList('conf', 'release')))
    yield { path: part, detail, below: true };
  for (const file of fs.below(lib)) {
    const base = baseOf(file);
    if (!/\.so(?:\.\d+)*$/.test(base) || forScreens.test(base)) continue;
    // Of several virtual machines (server, client, minimal), the default one stays; another does if it was used.
    if (base === 'libjvm.so' && baseOf(parentOf(file)) !== 'server') continue;
    yield { path: file, detail };
  }
}

function* archives(directory: Path, detail: ByteString, { fs }: ClosureContext): Generator<Need> {
  for (const child of fs.children(directory)) if (archive.test(child)) yield { path: child, detail };
}

/** Yields the class paths in the config and in kept commands. Relative names count from the working directory. */
function* classPaths(
  context: ClosureContext,
): Generator<{ readonly path: ByteString; readonly why: ByteString }> {
  const { keepCommands, runtime } = context;
  const from = workingDirectory(context);
  const place = (path: ByteString): ByteString => (path.startsWith('/') ? path : ascii`/${join(from, path)}`);
  for (const path of variable('CLASSPATH', context).split(':'))
    if (path !== '') yield { path: place(path), why: ascii`named by CLASSPATH` };
  const words = [...runtime.entrypoint, ...runtime.command, ...keepCommands.flat()].flatMap((word) =>
    utf8Bytes(word).split(/\s+/),
  );
  for (const [index, word] of words.entries()) {
    const next = words[index + 1] ?? noBytes;
    if (word === '-jar' && next !== '') yield { path: place(next), why: ascii`named by -jar` };
    if (word === '-cp' || word === '-classpath' || word === '--class-path')
      for (const path of next.split(':'))
        if (path !== '') yield { path: place(path), why: ascii`named by ${word}` };
  }
  const options = ['JAVA_TOOL_OPTIONS', 'JDK_JAVA_OPTIONS', 'JAVA_OPTS', '_JAVA_OPTIONS'];
  for (const text of [...options.map((name) => variable(name, context)), ...words])
    for (const [, path = noBytes] of text.matchAll(/-javaagent:([^\s=]+)/g))
      yield { path: place(path), why: ascii`named by -javaagent` };
}

/** Returns the working directory of the image, free of symlinks. */
function workingDirectory({ fs, runtime }: ClosureContext): Path {
  return fs.resolve(utf8Bytes(runtime.workingDirectory)).path ?? root;
}

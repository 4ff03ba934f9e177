/**
 * The rule for Ruby: specifications of gems, the late parts of RubyGems, and what Ruby needs to start. `families.ts` lists it.
 */
import { ascii, asciiList, type ByteString } from '../../bytes/bytes.ts';
import { baseOf, join, type Path, cleanPath } from '../../bytes/path.ts';
import type { ClosureContext, ClosureRule, Need } from '../rule.ts';
import { presentIn } from './present.ts';

/** A file of a gem. The groups are the directory of gems (GEM_HOME), and the name of the gem with its version. */
const gem = /^(.*)\/gems\/([^/]+-\d[^/]*)\/./;
/** The main file of RubyGems. The first group is the directory `lib/ruby`, which holds the default gems. */
const rubygems = /^((.*)\/ruby)\/(?:site_ruby\/|vendor_ruby\/)?(?:\d+\.\d+\.\d+\/)?rubygems\.rb$/;
/** The program of a Ruby. The group is its prefix, empty for the root. */
const program = /^(.*?)\/?bin\/ruby(?:[\d.]+)?$/;

/** The parts of RubyGems that load on the first error, warning or unusual gem. They are a fifth of it. */
const parts = asciiList(
  'basic_specification.rb',
  'bundler_version_finder.rb',
  'compatibility.rb',
  'config_file.rb',
  'defaults.rb',
  'dependency.rb',
  'deprecate.rb',
  'errors.rb',
  'exceptions.rb',
  'ext.rb',
  'path_support.rb',
  'platform.rb',
  'psych_additions.rb',
  'psych_tree.rb',
  'requirement.rb',
  'safe_yaml.rb',
  'specification.rb',
  'stub_specification.rb',
  'text.rb',
  'unknown_command_spell_checker.rb',
  'user_interaction.rb',
  'util.rb',
  'version.rb',
);

/** RubyGems finds a gem by its specification, and takes its extension for built if a file says so. */
export const rubyRule: ClosureRule = {
  name: 'ruby',
  describe:
    'For a gem of which a file stays: its .gemspec and gem.build_complete. For RubyGems: the specifications of the default gems, and the parts that load late (all of it unless the granularity is `file`). For Ruby: rbconfig.rb and the tables of encodings.',
  *follow(path, context): Generator<Need> {
    const { fs } = context;
    const [, root, name] = path.match(gem) ?? [];
    if (root !== undefined && name !== undefined) yield* gemNeeds(cleanPath(root), name, path, fs);
    const [, library] = path.match(rubygems) ?? [];
    if (library !== undefined) yield* rubyGems(cleanPath(library), path, context);
    const [, prefix] = path.match(program) ?? [];
    if (prefix !== undefined) yield* start(cleanPath(prefix), path, fs);
  },
};

/** Yields the specification of a gem, and the marks of its built extensions. `root` is GEM_HOME. */
function* gemNeeds(root: Path, name: ByteString, path: Path, fs: ClosureContext['fs']): Generator<Need> {
  const specifications = [ascii`${name}.gemspec`, ascii`default/${name}.gemspec`];
  for (const specification of presentIn(fs, join(root, ascii`specifications`), specifications))
    yield { path: specification, detail: ascii`RubyGems finds /${path} by it` };
  // extensions/PLATFORM/RUBY-VERSION/GEM/gem.build_complete
  for (const platform of fs.children(join(root, ascii`extensions`)))
    for (const version of fs.children(platform))
      for (const built of presentIn(fs, version, [ascii`${name}/gem.build_complete`]))
        yield { path: built, detail: ascii`without it, RubyGems takes /${path} for unbuilt` };
}

/** Yields the parts of RubyGems, and the specifications of the default gems. */
function* rubyGems(library: Path, path: Path, { fs, granularity }: ClosureContext): Generator<Need> {
  const directory = cleanPath(path.replace(/\.rb$/, ''));
  const detail = ascii`a part of RubyGems, which /${path} begins`;
  if (granularity !== 'file') yield { path: directory, detail, below: true };
  else {
    for (const part of presentIn(fs, directory, parts)) yield { path: part, detail };
    for (const part of presentIn(fs, directory, asciiList('core_ext', 'defaults', 'ssl_certs')))
      yield { path: part, detail, below: true };
  }
  for (const version of fs.children(join(library, ascii`gems`)))
    for (const defaults of presentIn(fs, version, [ascii`specifications/default`]))
      yield { path: defaults, detail: ascii`/${path} finds the default gems by it`, below: true };
}

/** Yields what a Ruby needs to start. */
function* start(prefix: Path, path: Path, fs: ClosureContext['fs']): Generator<Need> {
  const detail = ascii`/${path} starts with it`;
  for (const home of compiledIn(prefix, fs))
    for (const file of presentIn(fs, home, asciiList('rbconfig.rb', 'enc/encdb.so', 'enc/trans/transdb.so')))
      yield { path: file, detail };
}

/** Yields the directories of compiled parts: lib/ruby/VERSION/PLATFORM, or lib/PLATFORM/ruby/VERSION on Debian. */
function* compiledIn(prefix: Path, fs: ClosureContext['fs']): Generator<Path> {
  for (const lib of [join(prefix, ascii`lib`), join(prefix, ascii`lib64`)])
    for (const ruby of [
      join(lib, ascii`ruby`),
      ...[...fs.children(lib)].map((child) => join(child, ascii`ruby`)),
    ])
      for (const version of fs.children(ruby)) {
        if (!/^\d/.test(baseOf(version))) continue;
        for (const home of [version, ...fs.children(version)])
          if (fs.kind(join(home, ascii`rbconfig.rb`)) !== null) yield home;
      }
}

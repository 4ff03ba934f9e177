import { ascii, asciiList, type ByteString } from '../../bytes/bytes.ts';
import { baseOf, join, type Path, cleanPath } from '../../bytes/path.ts';
import type { ClosureContext, ClosureRule, Need } from '../rule.ts';

const gem = /^(.*)\/gems\/([^/]+-\d[^/]*)\/./;
const rubygems = /^((.*)\/ruby)\/(?:site_ruby\/|vendor_ruby\/)?(?:\d+\.\d+\.\d+\/)?rubygems\.rb$/;
const program = /^(.*?)\/?bin\/ruby(?:[\d.]+)?$/;

/** Parts of RubyGems that load on the first error, warning or unusual gem: a fifth of it. */
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

/** A gem is found by its specification, and its extension by a file that says that it was built. */
export const rubyRule: ClosureRule = {
  name: 'ruby',
  describe:
    'Of a gem of which a file stays, its .gemspec and gem.build_complete; with RubyGems, the specifications of the default gems and the parts of it that load late (all of it where the granularity is not "file"); with Ruby, rbconfig.rb and the tables of encodings.',
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

function* gemNeeds(root: Path, name: ByteString, path: Path, fs: ClosureContext['fs']): Generator<Need> {
  for (const specification of [
    ascii`specifications/${name}.gemspec`,
    ascii`specifications/default/${name}.gemspec`,
  ])
    if (fs.kind(join(root, specification)) !== null)
      yield { path: join(root, specification), detail: ascii`by it RubyGems finds /${path}` };
  // extensions/PLATFORM/RUBY-VERSION/GEM/gem.build_complete
  for (const platform of fs.children(join(root, ascii`extensions`)))
    for (const version of fs.children(platform)) {
      const built = join(version, ascii`${name}/gem.build_complete`);
      if (fs.kind(built) !== null)
        yield { path: built, detail: ascii`without it RubyGems takes /${path} for unbuilt` };
    }
}

function* rubyGems(library: Path, path: Path, { fs, granularity }: ClosureContext): Generator<Need> {
  const directory = cleanPath(path.replace(/\.rb$/, ''));
  const detail = ascii`a part of RubyGems, which /${path} begins`;
  if (granularity !== 'file') yield { path: directory, detail, below: true };
  else {
    for (const part of parts)
      if (fs.kind(join(directory, part)) !== null) yield { path: join(directory, part), detail };
    for (const part of asciiList('core_ext', 'defaults', 'ssl_certs'))
      if (fs.kind(join(directory, part)) !== null) yield { path: join(directory, part), detail, below: true };
  }
  for (const version of fs.children(join(library, ascii`gems`))) {
    const defaults = join(version, ascii`specifications/default`);
    if (fs.kind(defaults) !== null)
      yield { path: defaults, detail: ascii`default gems, which /${path} knows by them`, below: true };
  }
}

/** The directory of a Ruby's compiled parts: lib/ruby/VERSION/PLATFORM, or lib/PLATFORM/ruby/VERSION on Debian. */
function* start(prefix: Path, path: Path, fs: ClosureContext['fs']): Generator<Need> {
  const detail = ascii`/${path} starts with it`;
  for (const home of compiledIn(prefix, fs))
    for (const name of asciiList('rbconfig.rb', 'enc/encdb.so', 'enc/trans/transdb.so'))
      if (fs.kind(join(home, name)) !== null) yield { path: join(home, name), detail };
}

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

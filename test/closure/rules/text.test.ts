import { describe, expect, it } from 'vitest';
import { closureRules } from '../../../src/closure/rules/all.ts';
import { textRule } from '../../../src/closure/rules/text.ts';
import { elf, kept, script, text, type Table, type Thing } from '../rig.ts';
import { stays } from './stays.ts';

const program: Thing = elf({}, { mode: 0o755 });
const granularity = 'package';

const tools: Table = {
  'bin/sh': program,
  'usr/bin/sed': program,
  'usr/bin/cat': program,
  'usr/bin/gosu': program,
  'usr/bin/find': program,
  'usr/bin/chown': program,
  'usr/bin/tar': program,
  'usr/bin/git': program,
  'usr/bin/nothing': program,
  'opt/tool/run': program,
  'etc/app.conf': 'level=info\n',
  'usr/share/app/template': 'x',
};

describe('a script that is needed', () => {
  it.each<readonly [what: string, lines: string, files: readonly string[]]>([
    [
      'the programs of both branches',
      'if [ -n "$L" ]; then\n  sed s/a/b/ x\nelse\n  cat x\nfi',
      ['usr/bin/cat', 'usr/bin/sed'],
    ],
    [
      'a program behind exec and another',
      'exec gosu app find . -exec chown app {} +',
      ['usr/bin/chown', 'usr/bin/find', 'usr/bin/gosu'],
    ],
    [
      'programs in pipes and lists',
      'sed x&&cat y|find z;tar c',
      ['usr/bin/cat', 'usr/bin/find', 'usr/bin/sed', 'usr/bin/tar'],
    ],
    [
      'programs in substitutions',
      'a=$(cat x)\nb=`find .`\necho "now $(git log)"',
      ['usr/bin/cat', 'usr/bin/find', 'usr/bin/git'],
    ],
    ['a program in a variable', 'TOOL=tar\n$TOOL c', ['usr/bin/tar']],
    ['a program in a script of its own', "sh -c 'git pull'", ['bin/sh', 'usr/bin/git']],
    [
      'the arms of a case',
      'case $1 in\n  start) tar c;;\n  *) set -- cat "$@";;\nesac',
      ['usr/bin/cat', 'usr/bin/tar'],
    ],
    [
      'absolute paths',
      '/opt/tool/run\ncp /usr/share/app/template x',
      ['opt/tool/run', 'usr/share/app/template'],
    ],
    ['nothing for comments and messages', '# use git\necho "please find the tar file"\necho cat', []],
    ['nothing for names that are none', 'widget --git\nfoo/sed', []],
  ])('keeps %s', async (_, lines, files) => {
    const image = { ...tools, 'entry.sh': script('/bin/sh', `\n${lines}\n`) };
    expect(await stays(textRule, image, { want: ['entry.sh'], granularity })).toEqual(
      ['entry.sh', ...files].sort(),
    );
  });

  it('keeps the package of a program that it names', async () => {
    const image = {
      ...tools,
      'entry.sh': script('/bin/sh', '\ngit pull\n'),
      'usr/lib/git-core/git-pull': program,
      'var/lib/dpkg/info/git.list': '/usr/bin/git\n/usr/lib/git-core/git-pull\n',
    };
    const files = await kept(
      { image, granularity, trace: { 'entry.sh': 'exec' }, runtime: { entrypoint: ['/entry.sh'] } },
      closureRules({ keep: [] }),
    );
    expect(files).toEqual(expect.arrayContaining(['usr/bin/git', 'usr/lib/git-core/git-pull']));
    expect(files).not.toContain('usr/bin/nothing');
  });

  it('keeps nothing more at the granularity file', async () => {
    const image = { ...tools, 'entry.sh': script('/bin/sh', '\ngit pull\n') };
    expect(await stays(textRule, image, { want: ['entry.sh'] })).toEqual(['entry.sh']);
  });
});

describe('settings', () => {
  it.each<readonly [what: string, path: string, lines: string, files: readonly string[]]>([
    ['a program by its path', 'etc/ssh/sshd_config', 'Subsystem sftp /opt/tool/run', ['opt/tool/run']],
    [
      'a small directory',
      'etc/apache2/a.conf',
      'ScriptAlias /cgi-bin/ /usr/share/app/',
      ['usr/share/app/template'],
    ],
    ['an included file', 'etc/x/y', 'include "/etc/app.conf"', ['etc/app.conf']],
    ['the command of a supervisor', 'etc/supervisor/s.conf', '[program:x]\ncommand=tar c', ['usr/bin/tar']],
    [
      'delegates in XML',
      'etc/ImageMagick-6/delegates.xml',
      '<delegate decode="x" command="&quot;tar&quot; x"/>',
      ['usr/bin/tar'],
    ],
    [
      'paths of the application',
      'app/config.yml',
      'template: /usr/share/app/template',
      ['usr/share/app/template'],
    ],
    [
      'nothing for comments, addresses and patterns',
      'etc/x/y',
      '# /opt/tool/run\nhttp://opt/tool/run\n$x/opt/tool/run\n',
      [],
    ],
    ['nothing for lists of shells', 'etc/shells', '/bin/sh', []],
  ])('keep %s', async (_, path, lines, files) => {
    const image = { ...tools, [path]: text(`${lines}\n`) };
    expect(await stays(textRule, image, { want: [path], granularity })).toEqual([path, ...files].sort());
  });

  it.each([
    ['the icons of a web server', 258, 258],
    ['nothing of a large directory', 1001, 0],
  ])('keep %s', async (_, count, found) => {
    const icons = Array.from({ length: count }, (_each, i) => [`usr/share/apache2/icons/${i}.png`, 'x']);
    const image = {
      ...(Object.fromEntries(icons) as Table),
      'etc/apache2/mods-available/alias.conf': text('Alias /icons/ "/usr/share/apache2/icons/"\n'),
    };
    const want = ['etc/apache2/mods-available/alias.conf'];
    expect(await stays(textRule, image, { want, granularity })).toHaveLength(found + 1);
  });
});

it.each<readonly [from: string, path: string, lines: string, files: readonly string[]]>([
  [
    'openssh-server',
    'etc/ssh/sshd_config',
    '# override default of no subsystems\nSubsystem\tsftp\t/usr/lib/openssh/sftp-server',
    ['usr/lib/openssh/sftp-server'],
  ],
  ['openssh-server', 'etc/ssh/sshd_config', 'Subsystem sftp internal-sftp', []],
  [
    'apache2',
    'etc/apache2/conf-enabled/serve-cgi-bin.conf',
    '\t\tScriptAlias /cgi-bin/ /usr/lib/cgi-bin/\n\t\t<Directory "/usr/lib/cgi-bin">',
    ['usr/lib/cgi-bin/count.pl'],
  ],
  [
    'imagemagick-6-common',
    'etc/ImageMagick-6/delegates.xml',
    '  <delegate decode="ps:alpha" stealth="True" command="&quot;gs&quot; -sstdout=%%stderr -dQUIET &quot;-f%s&quot;"/>\n' +
      '  <delegate decode="miff" encode="show" spawn="True" command="&quot;/opt/tool/run&quot; -delay 0 &quot;%i&quot;"/>\n' +
      '  <!-- <delegate decode="man" command="&quot;tar&quot; x"/> -->',
    ['opt/tool/run', 'usr/bin/gs'],
  ],
])('the settings of %s keep what they name: %s', async (_, path, lines, files) => {
  const image: Table = {
    ...tools,
    'usr/lib/openssh/sftp-server': program,
    'usr/lib/cgi-bin/count.pl': script('/usr/bin/perl'),
    'usr/bin/gs': program,
    [path]: text(`${lines}\n`),
  };
  expect(await stays(textRule, image, { want: [path], granularity })).toEqual([path, ...files].sort());
});

/**
 * The target of the closure: its rules read configuration files, scripts and programs of an image. Whatever they
 * hold, the closure ends and does not throw.
 */
import { checkClosure } from '../../src/closure/checks.ts';
import { closeOver } from '../../src/closure/closure.ts';
import { explain } from '../../src/closure/explain.ts';
import { closureRules } from '../../src/closure/rules/all.ts';
import { uses } from '../../src/trace/trace.ts';
import { readRuntime } from '../../src/oci/runtime.ts';
import { granularities } from '../../src/image/trace-pruning.ts';
import { traceOf } from '../../test/closure/rig.ts';
import { writeElf } from '../../test/rootfs/facts/elf-bytes.ts';
import { imageOfInput, joinFiles } from '../files.ts';
import { jsonMutators } from '../json-mutators.ts';
import { flood } from '../mutate.ts';
import { choiceOf, holds, type Target } from '../target.ts';
import { KiB } from '../../src/units.ts';
import { b, p } from '../../test/support/bytes.ts';

const elf = Buffer.from(
  writeElf({
    needed: [b('libc.so.6')],
    interpreter: b('/lib/ld.so'),
    runpath: b('$ORIGIN/../lib'),
    imports: ['dlopen', 'getaddrinfo'],
  }),
).toString('latin1');
const library = Buffer.from(writeElf({ soname: b('libc.so.6') })).toString('latin1');

/** The image config, whose command is where the closure begins. */
const config = JSON.stringify({
  config: {
    Entrypoint: ['/bin/start'],
    Cmd: ['python3', '-m', 'app', '--config=/etc/app.conf'],
    Env: ['PATH=/bin:/usr/bin', 'LD_PRELOAD=libx.so'],
    User: 'app',
    WorkingDir: '/srv',
    Shell: ['/bin/sh', '-c'],
    Healthcheck: { Test: ['CMD-SHELL', 'curl -f localhost || exit 1'] },
  },
});

const base = {
  'config.json': config,
  'bin/prog': elf,
  'lib/libc.so.6': library,
  'lib/ld.so': library,
  'bin/sh': '#!/bin/prog',
  'etc/passwd': 'app:x:1000:1000::/srv:/bin/sh\nroot:x:0:0',
  'etc/group': 'app:x:1000:',
};

export const target: Target = {
  name: 'closure',
  invariant:
    'whatever scripts, wrappers and configuration files say, the closure ends, names only what is in the image, and can explain every path',
  seeds: () =>
    [
      {
        'bin/start':
          '#!/bin/sh -e\n. /etc/env.sh\nexec "$BIN/prog" --file=/etc/app.conf "$@"\nsource ./x; cd /srv && /bin/prog | cat\n',
        'usr/bin/env': elf,
        'bin/python3 -> ../usr/bin/python3.11': '',
        'usr/bin/python3.11': elf,
        'usr/lib/python3.11/app.py': '#!/usr/bin/env -S python3 -u\nimport x',
        'usr/lib/python3.11/site-packages/a.pth': 'import sys\n../x\n',
        'srv/pyvenv.cfg': 'home = /usr/bin\n',
      },
      {
        'etc/nsswitch.conf': 'passwd: files sss [NOTFOUND=return]\nhosts: files dns # x',
        'lib/libnss_files.so.2': library,
        'etc/ld.so.conf': 'include /etc/ld.so.conf.d/*.conf\n/usr/local/lib\n',
        'etc/ld.so.conf.d/x.conf': '/opt/lib',
        'etc/ld.so.preload': '/lib/libc.so.6',
        'etc/pam.d/login': '@include common\nauth required pam_unix.so\n-session include other',
        'etc/pam.d/common': 'auth [default=1] pam_x.so',
        'etc/ssl/openssl.cnf':
          '.include /etc/ssl/x\nopenssl_conf = init\n[init]\nproviders = p\n[p]\nlegacy = l\n[l]\nactivate = 1\nmodule = /lib/legacy.so',
        'usr/lib/libcrypto.so.3': library,
        'etc/krb5.conf': 'includedir /etc/krb5.conf.d/\n[plugins]\nmodule = a:b.so',
      },
      {
        'usr/sbin/nginx': elf,
        'etc/nginx/nginx.conf':
          'include /etc/nginx/conf.d/*.conf;\nload_module modules/x.so;\nssl_certificate /etc/ssl/a.pem;',
        'etc/nginx/conf.d/a.conf': 'include ../nginx.conf;',
        'etc/apache2/apache2.conf': 'LoadModule a_module /usr/lib/a.so\nIncludeOptional mods/*.load',
        'usr/bin/php': elf,
        'etc/php/8.2/cli/php.ini': 'extension=curl\nextension_dir="/usr/lib/php"\nzend_extension=x.so',
        'etc/php/8.2/cli/conf.d/20-x.ini': '; x\nextension=y',
      },
      {
        'usr/bin/node': elf,
        'srv/package.json':
          '{"name":"app","main":"./lib/main.js","dependencies":{"a":"1"},"exports":{".":"./x.js"}}',
        'srv/lib/main.js': 'require("a")',
        'usr/bin/dotnet': elf,
        'srv/app.deps.json':
          '{"runtimeTarget":{"name":"x"},"targets":{"x":{"a/1":{"runtime":{"lib/a.dll":{}},"native":{"b.so":{}}}}},"libraries":{"a/1":{"path":"a/1"}}}',
        'srv/app.runtimeconfig.json':
          '{"runtimeOptions":{"framework":{"name":"Microsoft.NETCore.App","version":"8.0.0"}}}',
        'usr/lib/jvm/bin/java': elf,
        'usr/lib/jvm/lib/modules': 'x',
        'usr/lib/gconv/gconv-modules': 'alias A// B//\nmodule B// INTERNAL B 1\n',
        'usr/share/zoneinfo/tzdata.zi': 'L a b',
        'etc/timezone': 'Europe/Berlin',
        'etc/locale.conf': 'LANG=de_DE.UTF-8',
      },
    ].map((each) => joinFiles({ ...base, ...each })),
  dictionary: [
    '@@ ',
    ' -> ',
    '#!',
    '/usr/bin/env ',
    '-S ',
    'exec ',
    '. ',
    'source ',
    '$',
    '"',
    "'",
    '`',
    '|',
    '&&',
    ';',
    '\\\n',
    'include ',
    '@include ',
    'LoadModule ',
    'extension=',
    '../',
    '/',
    '*',
    '\0',
    '\xff',
    '\n',
    '=',
    ':',
    '{',
    '[',
  ],
  mutators: [...jsonMutators, flood],
  maxBytes: 64 * KiB,
  run: async (bytes) => {
    const { fs, facts } = await imageOfInput(bytes);
    let json: unknown;
    const said =
      Buffer.from(bytes)
        .toString('latin1')
        .match(/^@@ config\.json\n(.*)$/m)?.[1] ?? '{}';
    try {
      json = JSON.parse(said);
    } catch {
      json = JSON.parse(config);
    }
    if (typeof json !== 'object' || json === null) json = {};
    const runtime = readRuntime({ json: json as never });
    const choice = choiceOf(bytes);
    const paths = [...fs.below(p(''))];
    const traced = paths.filter((path, i) => /bin\//.test(path) || (choice >> (i % 16)) % 2 === 1);
    const trace = traceOf({}, {
      paths: new Map(traced.map((path) => [path, /bin\//.test(path) ? uses.exec : uses.open])),
    } as never);
    const input = {
      fs,
      facts,
      runtime,
      platform: { os: 'linux', architecture: 'amd64' },
      trace: {
        ...trace,
        paths: new Map(traced.map((path) => [path, /bin\//.test(path) ? uses.exec : uses.open])),
      },
      granularity: granularities[choice % granularities.length] ?? 'file',
      keepCommands: [['sh', '-c', 'prog']],
    };
    const closure = closeOver(input, closureRules({ keep: ['etc/passwd'] }));
    for (const path of closure.paths()) {
      holds(path === '' || fs.kind(path) !== null, 'a path stays that is not in the image');
      holds(explain(closure, path).length > 0 || path === '', 'a path stays that nobody can explain');
    }
    checkClosure(input, closure, (path) => !closure.isKept(path));
  },
};

/**
 * Real applications that start a server, as images that `slim --record` is tried on: what each is made of, what it is asked, and by
 * which factor it must shrink at least. Their sources are in fixtures/servers.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bytesOf } from '../model/byte-string.ts';
import type { EntrySpec } from '../model/tar-bytes.ts';
import { buildGo, run } from './programs.ts';
import { entriesOf, folderOf, type ServerConfig, writeServerImage } from './server-image.ts';

export interface Server {
  readonly name: string;
  /** The image of fixtures/images that it is built over; null for none. */
  readonly base: string | null;
  /** Returns its layer. `work` is an empty folder. */
  readonly entries: (sources: string, work: string) => readonly EntrySpec[] | Promise<readonly EntrySpec[]>;
  readonly config: ServerConfig;
  /** The options that say what it is asked. */
  readonly asked: readonly string[];
  /** How many probes these are. */
  readonly probes: number;
  /** Whether it becomes another user, so that it needs more than one. */
  readonly switchesUsers: boolean;
  /** The exit status of `trace record`: that of a program which a signal ends. */
  readonly status: number;
  /** Paths that some probe uses, and that none uses. */
  readonly used: readonly string[];
  readonly unused: readonly string[];
  /** The factor by which its transfer size shrinks at least. */
  readonly factor: number;
}

const sources = fileURLToPath(new URL('../../../fixtures/servers/', import.meta.url));
const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const probes = (...each: readonly string[]) => each.map((probe) => `--http-probe=${probe}`);
const execs = (...each: readonly string[]) => each.map((command) => `--exec-probe=${command}`);
const tree = (folder: string): readonly EntrySpec[] => entriesOf(folder);

/** A master that is root, with workers that are not; its logs are the streams of the container. */
const nginx: Server = {
  name: 'nginx',
  base: 'nginx',
  entries: (from) => [
    ...tree(from),
    { name: 'var/log/nginx/access.log', type: 'symlink', linkname: '/dev/stdout' },
    { name: 'var/log/nginx/error.log', type: 'symlink', linkname: '/dev/stderr' },
  ],
  config: {
    Entrypoint: ['/docker-entrypoint.sh'],
    Cmd: ['nginx', '-g', 'daemon off;'],
    User: '',
    WorkingDir: '/',
    Env: [path, 'PORT=8080'],
    ExposedPorts: { '8080/tcp': {} },
    StopSignal: 'SIGQUIT',
  },
  asked: [...probes('/ =>200', '/health =>200', '/nothing =>404'), '--http-crawl'],
  // Three are stated, and the crawl finds ten further addresses.
  probes: 13,
  status: 0,
  used: ['usr/share/nginx/html/assets/print.css'],
  unused: ['usr/bin/perl'],
  switchesUsers: true,
  factor: 6,
};

/** Most of what its routes need is loaded when they are asked. */
const node: Server = {
  name: 'node',
  base: 'node',
  entries: (from) => [...tree(from), folderOf('data', 1000)],
  config: {
    Entrypoint: ['node'],
    Cmd: ['/app/server.js'],
    User: '1000:1000',
    Env: [path, 'NODE_ENV=production', 'PORT=3000'],
    ExposedPorts: { '3000/tcp': {} },
    Volumes: { '/data': {} },
    Healthcheck: { Test: ['CMD', 'node', '/app/health.js'] },
  },
  asked: [
    ...probes('/ =>200', '/api/price =>200', '/api/now =>200', '/api/fault =>500', '/none =>404'),
    `--http-probe-file=${sources}node.probes.yaml`,
    '--http-crawl',
  ],
  probes: 12,
  status: 0,
  used: ['app/reports/sales.csv', 'app/node_modules/lodash/lodash.js'],
  unused: ['app/node_modules/typescript/lib/typescript.js'],
  switchesUsers: false,
  factor: 2,
};

/** Its entrypoint is a script that would switch users as root. It is asked by the client that is beside it. */
const redis: Server = {
  name: 'redis',
  base: 'redis',
  entries: (from) => [...tree(from), folderOf('data', 1000)],
  config: {
    Entrypoint: ['docker-entrypoint.sh'],
    Cmd: ['/etc/redis/server.conf'],
    User: '1000:1000',
    WorkingDir: '/data',
    Env: [path],
    ExposedPorts: { '6379/tcp': {} },
    Volumes: { '/data': {} },
    Healthcheck: { Test: ['CMD-SHELL', 'redis-cli ping | grep -q PONG'] },
  },
  asked: [
    '--http-probe=tcp://:6379',
    ...execs(
      'redis-cli set greeting hello',
      'redis-cli get greeting',
      'redis-cli --raw eval "return redis.sha1hex(ARGV[1])" 0 x',
      'redis-cli save',
    ),
  ],
  probes: 6,
  status: 0,
  used: ['usr/bin/redis-cli'],
  unused: ['usr/bin/perl'],
  switchesUsers: false,
  factor: 3,
};

/** Workers below a master, templates, translations, time zones, a database in a file, an upload. */
const django: Server = {
  name: 'django',
  base: 'django',
  entries: (from) => [...tree(from), folderOf('srv/media', 1000)],
  config: {
    Entrypoint: ['/srv/docker-entrypoint.sh'],
    Cmd: ['shop.wsgi'],
    User: '1000',
    WorkingDir: '/srv',
    Env: [
      path,
      'PYTHONDONTWRITEBYTECODE=1',
      'PYTHONPATH=/srv:/app',
      'DJANGO_SETTINGS_MODULE=front.settings',
      'LANG=C.UTF-8',
    ],
    ExposedPorts: { '8000/tcp': {} },
    Volumes: { '/srv/media': {} },
  },
  asked: [
    ...probes('/hello?name=x =>200', '/feed =>200', '/when?zone=Europe/Paris =>200', '/upload =>400'),
    `--http-probe-file=${sources}django.probes.yaml`,
    '--ready=ready with 2 workers',
  ],
  probes: 7,
  status: 0,
  used: ['usr/share/zoneinfo/Europe/Paris', 'app/shop/templates/page.html'],
  unused: ['usr/bin/perl'],
  switchesUsers: false,
  factor: 1.5,
};

/** A shell makes the database in a volume, as root gives it away, and becomes another user. */
const postgres: Server = {
  name: 'postgres',
  base: 'postgres',
  entries: tree,
  config: {
    Entrypoint: ['docker-entrypoint.sh'],
    Cmd: ['postgres'],
    User: '',
    WorkingDir: '/',
    Env: [path, 'PGDATA=/var/lib/postgresql/data', 'LANG=C.UTF-8'],
    ExposedPorts: { '5432/tcp': {} },
    Volumes: { '/var/lib/postgresql/data': {} },
    StopSignal: 'SIGINT',
    Healthcheck: { Test: ['CMD', 'pg_isready', '-U', 'postgres'] },
  },
  asked: [
    ...execs(
      'psql -X -U postgres -Atc "create table fruit (name text primary key, kilos int)"',
      `psql -X -U postgres -Atc "insert into fruit values ('pear', 3), ('fig', 1)"`,
      'psql -X -U postgres -Atc "select name, kilos from fruit order by name collate \\"C\\""',
      `psql -X -U postgres -Atc "select timestamptz '2024-07-01 12:00+00' at time zone 'Europe/Paris'"`,
    ),
    '--ready=database system is ready to accept connections',
  ],
  probes: 5,
  status: 0,
  used: ['usr/share/zoneinfo/Europe/Paris'],
  unused: ['usr/bin/apt'],
  switchesUsers: true,
  factor: 1.5,
};

/** A server of the JDK's own, in a jar. */
const java: Server = {
  name: 'java',
  base: 'java',
  entries: async (from, work) => {
    const root = join(work, 'root/opt/server');
    const classes = join(work, 'classes');
    mkdirSync(root, { recursive: true });
    await run('javac', ['--release', '17', '-d', classes, join(from, 'Server.java')]);
    const parts = ['-C', classes, '.', '-C', from, 'page.html'];
    await run('jar', [
      '--create',
      '--file',
      join(root, 'server.jar'),
      '--main-class',
      'app.Server',
      ...parts,
    ]);
    return tree(join(work, 'root'));
  },
  config: {
    Entrypoint: ['java', '-Xmx128m', '-jar', '/opt/server/server.jar'],
    Cmd: ['8080'],
    User: '1000:1000',
    WorkingDir: '/opt/server',
    Env: [path, 'LANG=C.UTF-8'],
    ExposedPorts: { '8080/tcp': {} },
  },
  asked: [...probes('/ =>200', '/none =>404'), '--http-crawl'],
  probes: 5,
  status: 0,
  used: ['opt/server/server.jar'],
  unused: ['usr/bin/perl'],
  switchesUsers: false,
  factor: 1.5,
};

/** One static program with one file, and things that nothing reads. */
const go: Server = {
  name: 'static',
  base: null,
  entries: async (from, work) => {
    const program = join(work, 'server');
    await buildGo(join(from, 'main.go'), program, work);
    const users = 'root:x:0:0:root:/:/sbin/nologin\napp:x:1000:1000::/:/sbin/nologin\n';
    return [
      ...tree(work).filter(({ name }) => name === 'server'),
      { name: 'etc/passwd', body: bytesOf(users) },
      { name: 'srv/fruit.json', body: bytesOf('{ "pear": 3, "fig": 1 }\n') },
      { name: 'srv/other.json', body: bytesOf('{}\n') },
      { name: 'usr/share/doc/server/manual', body: new Uint8Array(3_000_000).map((_, i) => i * (i >> 9)) },
    ];
  },
  config: {
    Entrypoint: ['/server'],
    User: 'app',
    WorkingDir: '/',
    ExposedPorts: { '8080/tcp': {} },
  },
  asked: [...probes('/ =>200', '/none =>404'), '--http-crawl'],
  probes: 3,
  status: 0,
  used: ['srv/fruit.json'],
  unused: ['usr/share/doc/server/manual'],
  switchesUsers: false,
  factor: 1.1,
};

/** Those whose images `.ci/run` has. */
export const commonServers: readonly Server[] = [nginx, node, redis];
/** Those of `npm run test:all` alone. */
export const furtherServers: readonly Server[] = [django, postgres, java, go];

/** Writes the image of a server as an OCI layout, tag `v1`, and returns its folder, which is below `work`. */
export async function buildServer(server: Server, images: string, work: string): Promise<string> {
  const own = join(work, `${server.name}-sources`);
  mkdirSync(own, { recursive: true });
  const layout = join(work, server.name);
  const { base, config } = server;
  const entries = await server.entries(join(sources, server.name), own);
  await writeServerImage(layout, { base: base === null ? null : join(images, base), entries, config });
  return layout;
}

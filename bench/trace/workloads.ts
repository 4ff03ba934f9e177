/**
 * What each image is for, as steps to run: one workload is traced, another one is not. The tests and the benchmark
 * run both in what pruning leaves.
 */
/** One program that is run to its end, or a server that answers requests and is then stopped. */
export interface Step {
  readonly argv: readonly string[];
  /** Whether it fails in the sandbox, and must fail in the same way. */
  readonly fails?: true;
  /** The socket on which it serves HTTP, and the requests in their order, before SIGTERM. */
  readonly http?: { readonly socket: string; readonly requests: readonly Request[] };
}

interface Request {
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The use of an image, and something else that it can do. The trace sees the first, and never the second. */
export interface Workload {
  readonly image: string;
  /** Files that are put into /tmp before each of both. */
  readonly files: Readonly<Record<string, string>>;
  readonly main: readonly Step[];
  readonly other: readonly Step[];
}

const entrypoint: Step = { argv: ['/app/run.sh'] };

const nginxConf = `daemon off; pid /tmp/nginx.pid; error_log stderr;
events {}
http {
  include /etc/nginx/mime.types; access_log off; gzip_types text/html; gzip_min_length 1;
  client_body_temp_path /tmp/body; proxy_temp_path /tmp/proxy; fastcgi_temp_path /tmp/fastcgi;
  uwsgi_temp_path /tmp/uwsgi; scgi_temp_path /tmp/scgi;
  server { listen unix:/tmp/http.sock; root /usr/share/nginx/html;
    location /packed/ { gzip on; alias /usr/share/nginx/html/; } location /echo { return 200 "$request_method"; } }
}
`;
const nginx = (...requests: readonly Request[]): Step => ({
  argv: ['/usr/sbin/nginx', '-c', '/tmp/nginx.conf'],
  http: { socket: '/tmp/http.sock', requests },
});

const nodeServer = `const express = require('/app/node_modules/express');
const app = express();
app.get('/hello', (request, response) => response.json({ hello: request.query.name ?? 'world' }));
app.get('/page', (request, response) => response.sendFile('/app/package.json'));
app.post('/sum', express.json(), (request, response) => response.json(request.body));
app.listen('/tmp/http.sock');
process.on('SIGTERM', () => process.exit(0));
`;
const node = (...requests: readonly Request[]): Step => ({
  argv: ['node', '/tmp/server.js'],
  http: { socket: '/tmp/http.sock', requests },
});

const redis = (...commands: readonly string[]): string => `/app/run.sh >/tmp/log &
until redis-cli -s /tmp/redis.sock ping >/dev/null 2>&1; do sleep 0.1; done
${commands.map((command) => `redis-cli -s /tmp/redis.sock ${command}`).join('\n')}
redis-cli -s /tmp/redis.sock shutdown nosave
wait
`;

const postgres = (sql: string): string => `/app/run.sh >/tmp/log 2>&1 &
server=$!
psql="$(echo /usr/lib/postgresql/*/bin/psql) -X -h /tmp -U app -d postgres -At"
until $psql -c 'select 1' >/dev/null 2>&1; do kill -0 $server || exit 1; sleep 0.2; done
$psql -c "${sql}"
status=$?
kill -INT $server
wait $server
exit $status
`;

/** The workloads in the order of the table. */
export const workloads: readonly Workload[] = [
  {
    image: 'nginx',
    files: { 'nginx.conf': nginxConf },
    // `nginx -t` binds port 80, which an ordinary user may not.
    main: [{ ...entrypoint, fails: true }, nginx({ path: '/index.html' })],
    other: [
      nginx(
        { path: '/missing' },
        { path: '/packed/index.html', headers: { 'accept-encoding': 'gzip' } },
        { path: '/echo' },
      ),
    ],
  },
  {
    image: 'python',
    files: {
      'work.py': `import json, sqlite3, ssl
db = sqlite3.connect(":memory:"); db.execute("create table t (n)"); db.execute("insert into t values (20), (22)")
print(json.dumps({"sum": db.execute("select sum(n) from t").fetchone()[0], "verify": ssl.create_default_context().verify_mode.name}))
`,
      'other.py': `import csv, io, decimal, zipfile, statistics, ctypes, xml.etree.ElementTree as tree
print(next(csv.reader(io.StringIO("a;b"), delimiter=";")), statistics.median([1, 3]), decimal.Decimal("1") / 8)
print("naïve".encode("cp1252"), zipfile.ZIP_DEFLATED, ctypes.sizeof(ctypes.c_int), tree.fromstring('<a><b>x</b></a>')[0].text)
`,
    },
    main: [entrypoint, { argv: ['python3', '/tmp/work.py'] }],
    other: [{ argv: ['python3', '/tmp/other.py'] }],
  },
  {
    image: 'node',
    files: {
      'server.js': nodeServer,
      'other.js': `const fp = require('/app/node_modules/lodash/fp');
console.log(fp.flow(fp.map((n) => n * 2), fp.sum)([1, 2, 3]), require('zlib').gunzipSync(require('zlib').gzipSync('x')).toString());
console.log(new Intl.DateTimeFormat('de', { dateStyle: 'long', timeZone: 'UTC' }).format(0));
`,
    },
    main: [entrypoint, node({ path: '/hello?name=you' })],
    other: [node({ path: '/missing' }, { path: '/page' }), { argv: ['node', '/tmp/other.js'] }],
  },
  {
    image: 'java',
    files: {},
    main: [entrypoint],
    other: [{ argv: ['java', '-jar', '/app/app.jar', 'other'] }],
  },
  {
    image: 'ruby',
    files: {
      'other.rb': `require 'csv'; require 'yaml'; require 'zlib'; require 'digest'; require 'bigdecimal'
puts CSV.parse("a,b").inspect, YAML.dump({ 'a' => [1] }), Zlib.crc32('x'), Digest::SHA256.hexdigest('x'), BigDecimal('0.1').to_s
puts 'naïve'.encode('Windows-1252').bytes.inspect
`,
    },
    main: [entrypoint],
    other: [{ argv: ['ruby', '/tmp/other.rb'] }],
  },
  {
    image: 'perl',
    files: {
      'other.pl': `use Digest::SHA qw(sha256_hex); use Unicode::Normalize; use Time::Local; use Text::Wrap; use Encode;
print sha256_hex("x"), length(NFD("\\x{e9}")), timegm(0, 0, 0, 1, 0, 70), wrap("", " ", "a b"), encode("cp1252", "\\x{e9}") eq "\\xe9", "\\n";
`,
    },
    main: [entrypoint],
    other: [{ argv: ['perl', '/tmp/other.pl'] }],
  },
  {
    image: 'php',
    files: {
      'other.php': `<?php
$page = new DOMDocument(); $page->loadXML('<a><b>x</b></a>');
echo $page->documentElement->textContent, iconv('UTF-8', 'ISO-8859-15', 'x'), hash('sha256', 'x'), (new DateTime('2024-07-01', new DateTimeZone('Europe/Paris')))->format('c'), "\\n";
`,
    },
    main: [entrypoint],
    other: [{ argv: ['php', '/tmp/other.php'] }],
  },
  {
    image: 'postgres',
    files: {
      'work.sh': postgres("select sum(n), upper('x') from generate_series(1, 10) n"),
      'other.sh': postgres(
        "select to_tsvector('english', 'running dogs'), convert_to('é', 'WIN1252'), timestamptz '2024-07-01 12:00 Europe/Paris' at time zone 'UTC'",
      ),
    },
    main: [{ argv: ['sh', '/tmp/work.sh'] }],
    other: [{ argv: ['sh', '/tmp/other.sh'] }],
  },
  {
    image: 'redis',
    files: {
      'work.sh': redis('set a 1', 'get a'),
      'other.sh': redis('eval "return redis.call(\'incr\', KEYS[1])" 1 n', 'lpush l b a', 'sort l alpha'),
    },
    main: [{ argv: ['sh', '/tmp/work.sh'] }],
    other: [{ argv: ['sh', '/tmp/other.sh'] }],
  },
  {
    image: 'static',
    files: {},
    main: [{ argv: ['/app/server'] }],
    other: [{ argv: ['/app/server', 'other.txt'] }, { argv: ['/app/server', 'missing.txt'] }],
  },
  {
    image: 'busybox',
    files: {},
    main: [entrypoint],
    other: [
      {
        argv: [
          'sh',
          '-c',
          'echo one two | awk "{ print \\$2 }" | tr a-z A-Z; printf abc | wc -c; /bin/seq 3 | /bin/sort -r',
        ],
      },
    ],
  },
];

/**
 * The workloads of servers, and of entrypoints that start as root and become other users. `all.ts` lists them.
 */
import {
  answering,
  askByBash,
  beside,
  entrypoint,
  job,
  type Request,
  serving,
  type Step,
  type Workload,
} from './step.ts';

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
const nginx = (...requests: readonly Request[]): Step =>
  serving(['/usr/sbin/nginx', '-c', '/tmp/nginx.conf'], ...requests);

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

const apache = (...paths: readonly string[]): string => beside(`bash /tmp/ask.sh 80 ${paths.join(' ')}`);

/** Returns a script that starts sshd, gives the user a key, and runs commands beside it. */
const sshd = (
  commands: string,
): string => `options='-q -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/tmp/known -i /tmp/key'
ssh-keygen -q -t ed25519 -N '' -f /tmp/key
install -d -o app -g app -m 700 /home/app/.ssh
install -o app -g app -m 600 /tmp/key.pub /home/app/.ssh/authorized_keys
/app/run.sh >/tmp/log 2>&1 &
server=$!
until ssh $options app@127.0.0.1 true 2>/dev/null; do kill -0 $server || { cat /tmp/log >&2; exit 1; }; sleep 0.2; done
${commands}
status=$?
kill $server
wait $server
exit $status
`;

export const servers: readonly Workload[] = [
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
    image: 'phpfpm',
    asRoot: true,
    files: {},
    main: [answering('/hello')],
    other: [answering('/document', '/when', '/style.css', '/missing')],
  },
  {
    image: 'modphp',
    asRoot: true,
    files: {
      'ask.sh': askByBash,
      'work.sh': apache('/index.php'),
      'other.sh': apache('/other.php', '/files/', '/icons/a.gif', '/missing'),
    },
    main: [{ argv: ['sh', '/tmp/work.sh'] }],
    other: [{ argv: ['sh', '/tmp/other.sh'] }],
  },
  {
    image: 'sshd',
    asRoot: true,
    files: {
      'work.sh': sshd("ssh $options app@127.0.0.1 'id -un; pwd'"),
      'other.sh':
        sshd(`printf 'put /tmp/work.sh copy\\nls -1 copy\\nget copy /tmp/copy\\n' | sftp $options -b - app@127.0.0.1 && wc -l </tmp/copy
scp $options app@127.0.0.1:copy /tmp/second && wc -l </tmp/second
ssh $options nobody@127.0.0.1 true && exit 1
true`),
    },
    main: [{ argv: ['sh', '/tmp/work.sh'] }],
    other: [{ argv: ['sh', '/tmp/other.sh'] }],
  },
  {
    image: 'gosu',
    asRoot: true,
    files: {},
    main: [job('note')],
    other: [job('report'), job('pack'), job('login')],
  },
];

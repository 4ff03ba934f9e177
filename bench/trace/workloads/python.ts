/**
 * The workloads of Python: scripts, services behind ASGI and WSGI servers, libraries of numbers and pictures, and a bundle. `all.ts` lists them.
 */
import { answering, entrypoint, job, serving, type Workload } from './step.ts';

export const python: readonly Workload[] = [
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
    image: 'fastapi',
    files: {},
    main: [answering('/hello?name=you', '/notes/2')],
    other: [answering('/page', '/table', '/docs', '/openapi.json', '/notes/x', '/notes/9', '/missing')],
  },
  {
    image: 'django',
    files: {},
    main: [answering('/hello')],
    other: [
      serving(
        ['/app/run.sh'],
        { path: '/page' },
        { path: '/page', headers: { 'accept-language': 'de' } },
        { path: '/feed' },
        { path: '/admin/' },
        { path: '/fail' },
        { path: '/missing' },
      ),
      { argv: ['python3', '/app/manage.py', 'check'] },
    ],
  },
  {
    image: 'flask',
    files: {},
    main: [answering('/hello?name=you')],
    other: [
      answering('/page', '/text', '/fail', '/missing'),
      serving(['/app/run.sh', '--worker-class', 'gthread'], { path: '/hello' }),
      { argv: ['python3', '-m', 'flask', '--app', '/app/app.py', 'routes'] },
    ],
  },
  {
    image: 'sklearn',
    files: {},
    main: [entrypoint],
    other: [job('forest'), job('groups')],
  },
  {
    image: 'pillow',
    files: {},
    main: [entrypoint],
    other: [job('formats'), job('text'), job('edges')],
  },
  {
    image: 'pyinstaller',
    files: {},
    main: [entrypoint],
    other: [job('report')],
  },
];

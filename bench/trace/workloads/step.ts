/**
 * The parts of a workload: steps that are run in an image. The files beside this one have the workloads, by family; `all.ts` lists
 * them.
 */

/** One program that is run to its end, or a server that answers requests and is then stopped. */
export interface Step {
  readonly argv: readonly string[];
  /** Whether it fails in the sandbox, and must fail in the same way. */
  readonly fails?: true;
  /** The socket on which it serves HTTP, and the requests in their order, before SIGTERM. */
  readonly http?: { readonly socket: string; readonly requests: readonly Request[] };
}

export interface Request {
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The use of an image, and something else that it can do. The trace sees the first, and never the second. */
export interface Workload {
  readonly image: string;
  /** Whether it starts as root, and changes users by itself. Default: no. */
  readonly asRoot?: true;
  /** Files that are put into /tmp before each of both. */
  readonly files: Readonly<Record<string, string>>;
  readonly main: readonly Step[];
  readonly other: readonly Step[];
}

/** The entrypoint of most images. */
export const entrypoint: Step = { argv: ['/app/run.sh'] };

/** Returns a step that runs the entrypoint with arguments. */
export function job(...words: readonly string[]): Step {
  return { argv: ['/app/run.sh', ...words] };
}

/** Returns a step in which a server on a socket in /tmp answers requests. */
export function serving(argv: readonly string[], ...requests: readonly Request[]): Step {
  return { argv, http: { socket: '/tmp/http.sock', requests } };
}

/** Returns a step in which the entrypoint answers GET requests for these paths. */
export function answering(...paths: readonly string[]): Step {
  return serving(['/app/run.sh'], ...paths.map((path) => ({ path })));
}

/** A script of bash that asks a server on a port of its machine: it prints status and body of each answer. */
export const askByBash = `port=$1; shift
for path; do
  until { exec 3<>/dev/tcp/127.0.0.1/$port; } 2>/dev/null; do sleep 0.2; done
  printf 'GET %s HTTP/1.0\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' "$path" >&3
  read -r version status rest <&3
  echo "GET $path: $status"
  while read -r line <&3 && [ "\${line%$'\\r'}" != '' ]; do :; done
  cat <&3; echo
  exec 3<&-
done
`;

/** Returns a script that starts the entrypoint, asks it by a command, and ends it. Its status is that of the command. */
export function beside(ask: string): string {
  return `/app/run.sh >/tmp/log 2>&1 &
server=$!
${ask}
status=$?
kill $server
wait $server
exit $status
`;
}

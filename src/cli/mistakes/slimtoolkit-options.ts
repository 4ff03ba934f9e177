/**
 * Options of SlimToolkit (slim, docker-slim, mint), each with what does the same here: `other-options.ts` puts them into its table. Words
 * that other tools have too stand there as well.
 */
import type { Row } from './advice.ts';

const recorded =
  'Use "ocislim slim SRC DST --record", which runs the image and publishes what was seen working.';
const probed = 'Use "ocislim slim SRC DST --record --http-probe /": it runs the image and asks it.';
const limits = 'Leave it out: --http-crawl takes at most 1,000 pages, three links deep.';
const building =
  'ocislim builds no image: use docker, buildah or kaniko, then "ocislim slim SRC DST --record".';
const sensor = 'Leave it out: ocislim has no sensor in a container, and keeps no state.';
const runtime = 'ocislim has none: its sandbox needs no container runtime.';
const others =
  'ocislim starts one image: start the others, then write --run-network host and --run-hosts NAME=IP.';
const files =
  'Write --creport FILE, --seccomp FILE, --apparmor FILE or --save-trace FILE; nothing else is left.';

const asking: readonly Row[] = [
  ['http-probe', 'Write --http-probe "[METHOD] [:PORT]/PATH".', 'http-probe', probed],
  ['http-probe-cmd', 'Write --http-probe "[METHOD] [http[s]://][:PORT]/PATH".', 'http-probe', probed],
  [
    'http-probe-cmd-file http-probe-cmd-upload',
    'Write --http-probe-file FILE: a YAML list with path, method, headers and body.',
    'http-probe-file',
    probed,
  ],
  ['http-probe-ports', 'Write the port in each probe: --http-probe :8080/.', 'http-probe', probed],
  [
    'http-probe-off',
    'Leave it out: exposed ports are asked only where no other probe is given.',
    'http-probe',
    recorded,
  ],
  ['http-probe-crawl http-probe-full', 'Write --http-crawl.', 'http-crawl', probed],
  [
    'http-crawl-max-depth http-crawl-max-page-count http-crawl-concurrency http-max-concurrent-crawlers http-probe-concurrency',
    limits,
    'http-crawl',
    probed,
  ],
  [
    'http-probe-apispec http-probe-apispec-file',
    'Write --openapi FILE, or --openapi /PATH.',
    'openapi',
    probed,
  ],
  ['http-probe-start-wait', 'Write --ready 10s, or --ready with what shows that it is.', 'ready', probed],
  [
    'http-probe-retry-off http-probe-retry-count http-probe-retry-wait http-probe-client-timeout http-probe-client-timeout-crawl',
    'Write retries for a request of --http-probe-file; any other is sent up to three times more.',
    'http-probe-file',
    probed,
  ],
  [
    'http-probe-exit-on-failure http-probe-exit-on-failure-count http-probe-fail-on-status-5xx',
    'Leave it out: a probe without the expected answer fails, and the exit status is 3.',
    'http-probe',
    probed,
  ],
  ['http-probe-proxy-endpoint http-probe-proxy-port', 'ocislim has none: probes go to the program itself.'],
  ['exec', 'Write --exec-probe COMMAND.', 'exec-probe', recorded],
  [
    'exec-file http-probe-exec',
    'Write --run-mount FILE:/probe.sh:ro and --exec-probe "sh /probe.sh".',
    'exec-probe',
    recorded,
  ],
  [
    'host-exec host-exec-file',
    'Write --continue-after signal with --run-publish PORT, run your commands, then send SIGUSR1.',
    'continue-after',
    recorded,
  ],
  ['continue-after exec-probe', 'Write --continue-after WHAT.', 'continue-after', recorded],
];

const starting: readonly Row[] = [
  [
    'publish-port publish-exposed-ports publish',
    'Write --run-publish [IP:][PORT:]PORT; probes need none.',
    'run-publish',
  ],
  ['run-target-as-user', 'Leave it out: the program runs as the user of its image.', 'run-user', recorded],
  ['env-file', 'Write --run-env-file FILE for the recorded run.', 'run-env-file', recorded],
  ['mount', 'Write --run-mount SRC:DST[:ro] for the recorded run.', 'run-mount', recorded],
  ['network', 'Write --run-network host, or leave it out: probes need none.', 'run-network', recorded],
  ['etc-hosts-map link add-host', 'Write --run-hosts NAME=IP.', 'run-hosts', recorded],
  ['cro-shm-size', 'Write --run-tmpfs /dev/shm:SIZE.', 'run-tmpfs', recorded],
  [
    'cro-runtime cro-host-config-file cro-sysctl hostname container-dns container-dns-search crt-connection crt-context crt-api-version',
    runtime,
  ],
  [
    'compose-file target-compose-svc target-compose-svc-image compose-svc-start-wait target-compose-svc-no-ports dep-exclude-compose-svc-all dep-include-compose-svc dep-exclude-compose-svc dep-include-compose-svc-deps dep-include-target-compose-svc-deps compose-net compose-env-nohost compose-env-file compose-workdir compose-project-name prestart-compose-svc poststart-compose-svc prestart-compose-wait-exit container-probe-compose-svc',
    others,
  ],
  [
    'target-kube-workload target-kube-workload-namespace target-kube-workload-container target-kube-workload-image kube-manifest-file kube-kubeconfig-file',
    'ocislim knows no workloads: give it the image, with --run-env and --run-mount for what the pod adds.',
  ],
];

const keeping: readonly Row[] = [
  [
    'include-bin include-exe include-bin-file include-exe-file include-dir-bins',
    'Write --keep-command COMMAND, which keeps what it needs, or --keep GLOB.',
    'keep-command',
  ],
  ['include-shell', 'Write --keep-preset shell.', 'keep-preset'],
  [
    'include-cert-all include-cert-bundles-only include-cert-dirs include-cert-pk-all include-cert-pk-dirs',
    'Write --keep-preset certs; --keep GLOB for private keys.',
    'keep-preset',
  ],
  ['include-zoneinfo', 'Write --keep-preset zoneinfo.', 'keep-preset'],
  [
    'include-ssh-client include-ssh-client-all include-ssh-client-basic',
    'Write --keep-command ssh.',
    'keep-command',
  ],
  [
    'include-oslibs-net include-healthcheck include-workdir',
    'Leave it out: what name resolution, the health check and the working directory need stays. More: --keep GLOB.',
    'keep',
  ],
  [
    'include-last-image-layers include-app-image-all app-image-start-instruction app-image-start-instruction-group app-image-start-layer-count app-image-start-detect app-image-dockerfile include-app-image-run include-app-image-addcopy-all',
    'Write --keep GLOB for the files of the application.',
    'keep',
  ],
  [
    'include-app-nuxt-dir include-app-nuxt-build-dir include-app-nuxt-dist-dir include-app-nuxt-static-dir include-app-nuxt-nodemodules-dir include-app-next-dir include-app-next-build-dir include-app-next-dist-dir include-app-next-static-dir include-app-next-nodemodules-dir include-node-package',
    'Write --keep GLOB, or --granularity package, which keeps whole packages of what was used.',
    'granularity',
  ],
  ['include-paths-creport-file', 'Write --trace creport.json.', 'trace'],
  [
    'include-new exclude-mounts',
    'Leave it out: what the run writes or mounts never gets into the image.',
    'keep',
  ],
  ['exclude-varlock-files', 'Write --rule GLOB.', 'rule'],
  ['keep-perms', 'Leave it out: files keep their modes and owners.', 'keep'],
  ['path-perms path-perms-file', 'ocislim changes no modes, except by --preset setuid.', 'preset'],
];

const making: readonly Row[] = [
  [
    'dockerfile-context tag-fat cbo-add-host cbo-build-arg cbo-label cbo-target cbo-network cbo-cache-from delete-generated-fat-image show-blogs image-build-engine image-build-arch',
    building,
  ],
  [
    'copy-meta-artifacts remove-file-artifacts keep-tmp-artifacts archive-state state-path',
    files,
    'creport',
    'Leave it out: a run leaves only the files that its options name.',
  ],
  [
    'sensor-ipc-endpoint sensor-ipc-mode use-local-mounts use-sensor-volume in-container rta-onbuild-base-image rta-source-ptrace enable-mondel',
    sensor,
  ],
  ['show-clogs show-plogs', 'Write --verbose.'],
  [
    'obfuscate-metadata obfuscate-app-package-names',
    'ocislim has none: scanners are to see what is in the image.',
  ],
  ['pull', 'Leave it out: images come from the registry that their name says.'],
  ['docker-config-path', 'Write --authfile FILE.'],
  [
    'registry-account registry-secret',
    'Write --creds USER:PASSWORD; OCISLIM_CREDS hides it from other users.',
  ],
  ['command-params-file', 'Write a plan: --file PLAN.yaml.', 'file'],
];

export const slimToolkitOptions: readonly Row[] = [...asking, ...starting, ...keeping, ...making];

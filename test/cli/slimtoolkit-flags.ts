/**
 * The options of SlimToolkit's `build` (mint calls it `slim`), from its sources: pkg/app/master/command/cliflags.go and
 * command/build/flags.go of slimtoolkit/slim and mintoolkit/mint. Left out are those whose declaration says that they do nothing yet.
 */
export const buildFlags = `
  target pull docker-config-path registry-account registry-secret show-plogs command-params-file
  compose-file target-compose-svc target-compose-svc-image compose-svc-start-wait target-compose-svc-no-ports
  dep-exclude-compose-svc-all dep-include-compose-svc dep-exclude-compose-svc dep-include-compose-svc-deps
  dep-include-target-compose-svc-deps compose-net compose-env-nohost compose-env-file compose-workdir compose-project-name
  prestart-compose-svc poststart-compose-svc prestart-compose-wait-exit container-probe-compose-svc
  target-kube-workload target-kube-workload-namespace target-kube-workload-container target-kube-workload-image
  kube-manifest-file kube-kubeconfig-file
  remove-file-artifacts copy-meta-artifacts
  http-probe http-probe-off http-probe-client-timeout http-probe-client-timeout-crawl http-probe-cmd http-probe-cmd-file
  http-probe-cmd-upload http-probe-start-wait http-probe-retry-off http-probe-retry-count http-probe-retry-wait
  http-probe-ports http-probe-full http-probe-exit-on-failure http-probe-exit-on-failure-count
  http-probe-fail-on-status-5xx http-probe-concurrency http-probe-crawl http-crawl-max-depth http-crawl-max-page-count
  http-crawl-concurrency http-max-concurrent-crawlers http-probe-apispec http-probe-apispec-file
  http-probe-proxy-endpoint http-probe-proxy-port
  host-exec host-exec-file publish-port publish-exposed-ports run-target-as-user show-clogs enable-mondel
  use-local-mounts use-sensor-volume continue-after rta-onbuild-base-image rta-source-ptrace
  sensor-ipc-endpoint sensor-ipc-mode exec exec-file cro-runtime cro-host-config-file cro-sysctl cro-shm-size
  user entrypoint cmd workdir env env-file label volume expose link network hostname etc-hosts-map container-dns
  container-dns-search mount delete-generated-fat-image
  image-build-engine image-build-arch show-blogs path-perms path-perms-file preserve-path preserve-path-file
  include-path include-path-file include-bin include-bin-file include-exe include-exe-file include-shell
  include-dir-bins include-workdir include-healthcheck include-last-image-layers include-app-image-all
  app-image-start-instruction app-image-start-instruction-group app-image-dockerfile include-paths-creport-file
  include-oslibs-net include-ssh-client include-zoneinfo include-cert-all include-cert-bundles-only include-cert-dirs
  include-cert-pk-all include-cert-pk-dirs include-new keep-tmp-artifacts
  include-app-nuxt-dir include-app-nuxt-build-dir include-app-nuxt-dist-dir include-app-nuxt-static-dir
  include-app-nuxt-nodemodules-dir include-app-next-dir include-app-next-build-dir include-app-next-dist-dir
  include-app-next-static-dir include-app-next-nodemodules-dir include-node-package keep-perms
  exclude-pattern exclude-varlock-files exclude-mounts
  new-entrypoint new-cmd new-label new-volume new-expose new-workdir new-env remove-volume remove-expose remove-env
  remove-label tag image-overrides tag-fat dockerfile dockerfile-context cbo-add-host cbo-build-arg cbo-label cbo-target
  cbo-network cbo-cache-from obfuscate-metadata obfuscate-app-package-names
`
  .trim()
  .split(/\s+/);

/** Gates about the config of an image: user, ports, labels, health check, and about its tag. The table of gates has them. */
import { baseName } from '../../oci/base-annotations.ts';
import { breach, type Gate } from './gate.ts';
import { listed } from './names.ts';
import { isRoot } from '../../rootfs/surface/surface.ts';

export const nonRoot: Gate<true> = {
  title: 'The user of the config is not root',
  isDeep: false,
  judge: (_, { analysis }) => {
    const { user } = analysis.image.config;
    if (!isRoot(user)) return [];
    const message = user === '' ? 'the config sets no user, so programs run as root' : `the user is ${user}`;
    return [
      breach(message, { fix: 'Add USER 1000 (a number, which Kubernetes can check) to the Dockerfile' }),
    ];
  },
};

export const healthcheck: Gate<true> = {
  title: 'The image has a health check',
  isDeep: false,
  judge: (_, { analysis }) =>
    analysis.image.config.healthcheck
      ? []
      : [breach('there is no HEALTHCHECK', { fix: 'Add HEALTHCHECK CMD … to the Dockerfile' })],
};

/** Allows these ports: `8080`, `8080/tcp`, `53/udp`. */
export const ports: Gate<readonly string[]> = {
  title: 'Only allowed ports are exposed',
  isDeep: false,
  judge: (allowed, { analysis }) => {
    const whole = (port: string) => (port.includes('/') ? port : `${port}/tcp`);
    const known = new Set(allowed.map(whole));
    const others = analysis.image.config.ports.filter((port) => !known.has(whole(port)));
    if (others.length === 0) return [];
    return [breach(`exposed and not allowed: ${listed(others)}`, { fix: 'Remove it from EXPOSE' })];
  },
};

/** Names labels that must have a value. */
export const labels: Gate<readonly string[]> = {
  title: 'The required labels are there',
  isDeep: false,
  judge: (required, { analysis }) => {
    const { labels: found } = analysis.image.config;
    const missing = required.filter((name) => !Object.hasOwn(found, name) || found[name] === '');
    if (missing.length === 0) return [];
    return [
      breach(`missing labels: ${listed(missing)}`, {
        fix: `Add LABEL ${missing[0]}=… to the Dockerfile`,
        command: ['copy', ...missing.flatMap((name) => ['--label', `${name}=VALUE`])],
      }),
    ];
  },
};

/** Refuses names that mean another image tomorrow: of the image, and of its base as annotations state it. */
export const tag: Gate<true> = {
  title: 'The image, and its base as its annotations name it, have a tag that is not "latest", or a digest',
  isDeep: false,
  judge: (_, { analysis, annotations }) => {
    const { name, config } = analysis.image;
    const base = annotations[baseName] ?? config.labels[baseName];
    return [
      ...(isLocal(name) || !isFloating(name)
        ? []
        : [breach(`${name} names whatever is newest`, { fix: 'Give each version a tag of its own' })]),
      ...(base === undefined || !isFloating(base)
        ? []
        : [
            breach(`the base ${base} is whatever is newest`, {
              fix: 'Write FROM with a version or a digest',
            }),
          ]),
    ];
  },
};

/** Whether a reference has no digest, and the tag "latest" or none. */
function isFloating(name: string): boolean {
  if (name.includes('@')) return false;
  const last = name.slice(name.lastIndexOf('/') + 1);
  const colon = last.indexOf(':');
  return colon < 0 || last.slice(colon + 1) === 'latest';
}

/** Whether a reference names a layout or an archive, where tags are a matter of taste. */
function isLocal(name: string): boolean {
  return /^(?:oci|oci-archive|docker-archive):/.test(name);
}

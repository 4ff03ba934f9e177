/**
 * What speaks of an image, taken along with it and judged by others: cosign signs in a registry without the referrers API and verifies at
 * each destination, regctl lists what it put there, crane reads the old image. Where not everything is tested, skopeo reads the list alone.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { serveRegistry } from '../../src/store/server/serve-registry.ts';
import { rewrite } from '../support/e2e/cli.ts';
import { DockerRegistry } from '../support/e2e/docker-registry.ts';
import { removeFolder, run, workFolder } from '../support/e2e/programs.ts';
import { inspectRaw } from '../support/e2e/judge.ts';
import { attested, bundleType, index, signature, tagOf } from '../support/attested.ts';
import { isWhole } from '../support/extent.ts';
import { buildImage, writeLayout } from '../support/image-builder.ts';
import { tar } from '../support/model/shorthand.ts';

let work: string;
let registry: DockerRegistry;
let digest: string;

const sh = (script: string) =>
  run('sh', ['-c', `cd ${work}; export COSIGN_PASSWORD= HOME=${work}; ${script}`]);
const verifying = '--key cosign.pub --insecure-ignore-tlog --allow-insecure-registry';
const signing =
  '--key cosign.key --use-signing-config=false --tlog-upload=false -y --allow-insecure-registry';

/** Puts an image into the registry, signed in both ways of cosign and with an artifact that regctl puts beside it. */
async function signed(): Promise<void> {
  const image = buildImage({ layers: [tar('etc/motd=hello'), tar('app=words words words')] });
  ({ digest } = image.descriptor);
  await writeLayout(join(work, 'in'), { app: image });
  await rewrite(['copy', `oci:${work}/in:app`, `${registry.host}/app:1`]);
  const name = `${registry.host}/app@${digest}`;
  await sh(`cosign generate-key-pair 2>/dev/null; printf '{}' > sbom.json
    cosign sign ${signing} ${name} && cosign sign ${signing} --new-bundle-format=false ${name}
    regctl registry set ${registry.host} --tls disabled
    regctl artifact put --subject ${name} --artifact-type application/vnd.example.sbom -f sbom.json`);
}

/** Expects the judges to find and accept all that speaks of the image in a repository. */
async function expectWhole(host: string, repository: string): Promise<void> {
  const name = `${host}/${repository}@${digest}`;
  await sh(`cosign verify ${verifying} ${name} && cosign verify ${verifying} --new-bundle-format=false ${name}
    crane validate --insecure --remote ${name}; regctl registry set ${host} --tls disabled`);
  expect(await sh(`regctl artifact list ${name}`)).toContain('application/vnd.example.sbom');
}

beforeAll(async () => {
  work = workFolder('referrers');
  registry = await DockerRegistry.start();
});

afterAll(async () => {
  await registry?.stop();
  removeFolder(work);
});

test('skopeo reads the list of what speaks of an image in a registry without the referrers API', async () => {
  await writeLayout(join(work, 'attested'), attested());
  const to = `${registry.host}/attested:1`;
  await rewrite(['copy', `oci:${work}/attested:app`, to, '--referrers', 'copy']);
  const list = (await inspectRaw(`${registry.host}/attested:${tagOf(index)}`)) as unknown as {
    manifests: readonly { digest: string; artifactType: string }[];
  };
  expect(list.manifests.map((row) => [row.digest, row.artifactType])).toEqual([
    [signature.descriptor.digest, bundleType],
  ]);
});

// A test that is skipped counts as failed, so these are not there where cosign is not.
describe.each(isWhole ? ['cosign'] : [])('signatures of %s and artifacts of regctl', () => {
  beforeAll(signed);

  test('go along with an image that changes: the old one is verified beside the new one', async () => {
    const stop = new AbortController();
    await using cleanup = new AsyncDisposableStack();
    const server = await serveRegistry({ layoutDir: join(work, 'served'), signal: stop.signal });
    cleanup.defer(() => server.close());
    const source = `${registry.host}/app:1`;
    for (const [host, repository] of [
      [server.host, 'app'],
      [registry.host, 'other/app'],
    ] as const) {
      await rewrite([
        'recompress',
        source,
        `${host}/${repository}:new`,
        '--compression',
        'zstd',
        '--referrers',
        'copy',
      ]);
      await expectWhole(host, repository);
    }
  });

  test('go along through a layout and an archive', async () => {
    const way = [
      `${registry.host}/app:1`,
      `oci:${work}/out:app`,
      `oci-archive:${work}/x.tar:app`,
      `${registry.host}/third/app:1`,
    ];
    for (const [i, to] of way.slice(1).entries())
      await rewrite(['copy', way[i] as string, to, '--referrers', 'copy']);
    expect(await sh('regctl artifact list ocidir://out:app')).toContain('application/vnd.example.sbom');
    await expectWhole(registry.host, 'third/app');
  });
});

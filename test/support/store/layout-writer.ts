// Writes into a layout, as a process: FOLDER NAME COUNT publishes COUNT images, FOLDER NAME hang stops in a blob until it is killed.
import { parseDescriptor } from '../../../src/oci/descriptor.ts';
import { LayoutStorage } from '../../../src/store/layout/layout-storage.ts';
import { LocalTarget } from '../../../src/store/local-target.ts';
import { buildImage } from '../image-builder.ts';
import { writeTar } from '../model/tar-bytes.ts';

const [folder = '', name = '', count = ''] = process.argv.slice(2);
const { signal } = new AbortController();

async function open(tag: string): Promise<LocalTarget> {
  return new LocalTarget(
    tag,
    await LayoutStorage.open(folder, { kind: 'names', names: [tag] }, tag, signal),
    'any',
    () => tag,
  );
}

if (count === 'hang') {
  const endless = (async function* () {
    yield new Uint8Array(300_000);
    process.stdout.write('written\n');
    await new Promise((resolve) => setTimeout(resolve, 600_000));
  })();
  await (await open(name)).stage(() => endless, signal);
}

for (let i = 0; i < Number(count); i++) {
  const body = new TextEncoder().encode(`${name} ${i}`);
  const image = buildImage({ layers: [writeTar([{ name: 'a', body }])] });
  const target = await open(`${name}${i}`);
  for (const [digest, bytes] of image.blobs) {
    const descriptor = parseDescriptor({ mediaType: 'x/y', digest, size: bytes.length }, 'a blob');
    await target.put(bytes, descriptor, signal);
  }
  const descriptor = parseDescriptor(image.descriptor, 'the manifest');
  await target.publish({ descriptor, bytes: image.manifest }, signal);
  await target.close();
}

import { OcislimError } from '../../errors.ts';

/** Makes the error for an image of several platforms, or of none, at a place that describes one (`docker load`). `label` begins the message. */
export function onePlatform(label: string, count: number): OcislimError {
  return new OcislimError('UNSUPPORTED', `${label}: such an archive holds one platform, not ${count}`, {
    advice: 'Select one with --platform, or write an oci-archive: instead.',
  });
}

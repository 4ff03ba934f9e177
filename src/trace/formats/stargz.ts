import { noBytes } from '../../bytes/bytes.ts';
import { isDigest } from '../../oci/digest.ts';
import { memberOf } from '../../bytes/json-value.ts';
import { byteMember } from '../json-record.ts';
import { uses } from '../trace.ts';
import type { JsonRecords } from './json-records.ts';

/**
 * The records of stargz-snapshotter (`ctr-remote image optimize --record-out`):
 * `{"path":"usr/bin/sh","manifestDigest":"sha256:…","layerIndex":0}`. Those of the optimizer plugin of nydus (`path`, `size`,
 * `elapsed`) are read too. Paths are free of symlinks.
 */
export const stargz: JsonRecords = {
  name: 'stargz',
  matches: (object) => typeof memberOf(object, 'path') === 'string',
  read(sink) {
    const images = new Set<string>();
    return (object) => {
      const path = byteMember(object, 'path');
      if (path === null || path === '') return false;
      const image = memberOf(object, 'manifestDigest');
      if (isDigest(image) && images.size < 2) {
        images.add(image);
        sink.image = images.size === 1 ? image : null;
      }
      return sink.use(path, uses.open, noBytes);
    };
  },
};

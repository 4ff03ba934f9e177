import type { Rival } from '../works/work.ts';
import { buildah } from './buildah.ts';
import { crane } from './crane.ts';
import { dive } from './dive.ts';
import { dockerSquash } from './docker-squash.ts';
import { limits } from './limits.ts';
import { ocislim } from './ocislim.ts';
import { regctl } from './regctl.ts';
import { skopeo } from './skopeo.ts';
import { umoci } from './umoci.ts';

/** All rivals in the order of the tables. ocislim is first, since all others are compared with it. */
export const rivals: readonly Rival[] = [
  ocislim,
  skopeo,
  crane,
  regctl,
  umoci,
  buildah,
  dockerSquash,
  dive,
  ...limits,
];

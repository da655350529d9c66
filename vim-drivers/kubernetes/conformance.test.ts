import { describe } from 'vitest';
import { isServiceMissing } from '../../test/kit/services.ts';
import { describeDriver } from '../conformance.ts';
import { openKubernetesSite } from './testkit.ts';

/** A start takes a cluster two seconds, and an end as long, where a process takes a few milliseconds. */
const SLOWNESS = 6;
/** A machine has room for 110 pods, others' included. */
const CROWD = 20;

describe.skipIf(isServiceMissing('kubernetes'))('on a real cluster,', () => {
  describeDriver({
    name: 'kubernetes',
    keepsLease: false,
    slowness: SLOWNESS,
    crowd: CROWD,
    open: () => openKubernetesSite(),
  });
});
